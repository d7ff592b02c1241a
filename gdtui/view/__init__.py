"""From what is known to what is drawn and written: pure functions, no widget."""
