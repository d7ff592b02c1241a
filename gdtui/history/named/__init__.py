"""Quantities that have names, such as an accuracy: their values over a training run."""
