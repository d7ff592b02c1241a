"""Confidence intervals, and the test whether curves have folded: pure arithmetic, no torch."""
