"""Writes logs: appends records, and keeps those that a full disk does not accept."""
