"""Trains the variants of a run in worker processes and records every loss; knows nothing of screens.

Importing this package, or any module of it but `trainer`, loads no torch: only workers need it.
"""
