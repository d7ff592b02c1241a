"""Progress of a long command: the time it will still take, and its line of text."""
