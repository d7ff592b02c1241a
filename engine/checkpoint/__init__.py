"""Checkpoints: positions in a training with everything that decides its future, in files."""
