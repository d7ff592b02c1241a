"""Optimiser, lr, clipping and precision of a variant's updates."""
