"""Batches of samples on the device, out of tensors or a Dataset."""
