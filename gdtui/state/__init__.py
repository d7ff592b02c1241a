"""What is known of a run, out of its records. Knows no widget."""
