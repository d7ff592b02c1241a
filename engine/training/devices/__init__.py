"""Devices: found by name, taken by a process, their memory, and how they fail."""
