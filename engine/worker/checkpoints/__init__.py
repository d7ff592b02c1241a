"""Checkpoints of a variant: when they are taken, and how a training goes on from one."""
