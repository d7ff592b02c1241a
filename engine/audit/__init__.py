"""Audits of a loss and of a training loop: pieces of a batch against the batch as a whole."""
