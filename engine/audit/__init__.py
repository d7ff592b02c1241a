"""Audits a loss or a training loop: compares the pieces of a batch with the whole batch."""
