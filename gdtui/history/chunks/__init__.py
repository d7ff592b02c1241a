"""Chunks made of a history: the past that another generation goes on from."""
