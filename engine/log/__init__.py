"""The run directory: the vocabulary of its records, its files, and what they come to."""
