"""A terminal in memory: what a program writes, as characters and styles in cells."""
