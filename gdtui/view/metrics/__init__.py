"""Charts of the numbers that a run has beside its losses. Pure functions from the store."""
