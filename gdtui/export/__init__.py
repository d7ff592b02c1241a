"""Exports and imports: CSV and pictures."""
