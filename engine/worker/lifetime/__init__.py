"""Start of a generation: its device and problem; and its failure."""
