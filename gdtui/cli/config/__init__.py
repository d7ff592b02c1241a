"""Defaults of the user's own: a file, the environment, and where a value comes from."""
