"""Measurements of a variant during its training: when they are due, and how large they may be."""
