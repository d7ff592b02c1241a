"""Checks of the values of a problem's tensors, before anything is trained on them."""
