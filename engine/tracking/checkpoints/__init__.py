"""Checkpoints of a tracked loop: when one is taken, its content, and how a script continues.

saving        takes checkpoints and writes them, and never disturbs the loop
capture       makes a checkpoint of a loop between two updates
state         the state of model, optimiser and other objects
place         the place in the script and in the data
finding       finds the run, the variant and the checkpoint from which a script continues
continuation  the result of that search
restoring     gives a newly made loop the state of a checkpoint
"""
