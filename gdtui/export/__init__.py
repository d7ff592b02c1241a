"""Exports runs as CSV and pictures, and imports CSV."""
