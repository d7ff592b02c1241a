"""Intervals: pure arithmetic, no torch."""
