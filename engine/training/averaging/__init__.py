"""Weights of losses: what they are averaged over, so that pieces add up to the whole batch."""
