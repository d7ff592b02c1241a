"""Checkpoints of a tracked loop: when one is taken, its content, and how a script goes on from it.

saving      takes and writes them, and never disturbs the loop
state       the state of model, optimiser and other objects, and a header to go with it
resumption  finds the checkpoint with which a script goes on
restoring   gives a loop the state of a checkpoint
"""
