"""Curves of long logs before these are read: drawn from a sample of their records."""
