"""The words and figures on the screen and on stdout: pure functions to text."""
