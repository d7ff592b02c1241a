"""Reads batches of samples from tensors or a Dataset onto the device."""
