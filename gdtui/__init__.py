"""Shows runs and sends commands to them; imports no torch."""
