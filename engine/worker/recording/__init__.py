"""Writes a worker's files: its log, and the recorded weights."""
