"""Commands to a run that another process trains."""
