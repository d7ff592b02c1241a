"""Curves of long logs, drawn from a sample of their records while the logs are being read."""
