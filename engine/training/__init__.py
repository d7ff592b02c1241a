"""Trains one variant in this process; uses no files, pipes or commands."""
