"""Runs as directories of a user."""
