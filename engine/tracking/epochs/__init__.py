"""The epochs of a tracked loop: those that it draws from `run.epochs`, and those it draws itself.

progress  the position of a loop: its epoch, and the update that it is in
calls     counts the epochs that a script asks for, also after a checkpoint
count     counts the epochs of a loop that draws its batches itself
"""
