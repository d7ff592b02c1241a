"""Progress of a long command: the time left, and the line of text."""
