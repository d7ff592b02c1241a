"""Caveats of figures and names: their age, changes since, what an import does not tell."""
