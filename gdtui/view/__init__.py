"""Pictures and texts from the state: pure functions, no widget."""
