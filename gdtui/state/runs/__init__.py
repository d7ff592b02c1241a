"""A user's run directories: creation, removal and integrity checks."""
