"""The user's defaults from a file and the environment, and the origin of each value."""
