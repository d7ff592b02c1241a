"""The step of a training to which each printed loss belongs.

source   the one place in the output from which the loss is read
redraws  the readings among the redraws of a bar
places   steps counted over the whole program, and epochs
"""
