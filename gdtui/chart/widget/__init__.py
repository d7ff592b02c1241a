"""The chart as a Textual widget."""
