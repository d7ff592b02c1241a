"""Measurements besides the loss, at fixed weights: gradient noise, sharpness, landscape.

Nothing here trains, waits or writes. Long computations are generators that yield between pieces.
"""
