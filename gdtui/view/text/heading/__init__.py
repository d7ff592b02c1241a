"""The first line of the main screen."""
