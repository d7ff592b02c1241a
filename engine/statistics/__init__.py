"""Intervals, and when curves count as one: pure arithmetic, no torch."""
