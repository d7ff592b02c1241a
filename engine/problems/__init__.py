"""The problems that can be trained: gdtui's own, and those in users' files."""
