"""Ranges of axes that stay calm: the planned length of a run, and what its losses usually reach."""
