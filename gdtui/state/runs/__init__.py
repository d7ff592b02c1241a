"""Runs as directories of a user: new ones, those to be removed, those that are whole."""
