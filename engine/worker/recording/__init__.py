"""The files that a worker writes: its log, and the trail of its weights."""
