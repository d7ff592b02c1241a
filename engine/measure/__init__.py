"""Measurements beside the loss, at weights that stand still: gradient noise, sharpness, landscape.

Nothing here trains, waits or writes. What takes long is a generator that yields between its pieces.
"""
