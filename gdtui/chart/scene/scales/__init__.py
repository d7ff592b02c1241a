"""Limits, ticks and rows of axes, as numbers."""
