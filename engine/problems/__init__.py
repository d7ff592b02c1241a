"""The problems that can be trained: those that come with gdtui, and those in users' files."""
