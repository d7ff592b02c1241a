"""The state of a run, folded from its records. Knows no widget."""
