"""Parts of the records of a program's log.

counters  how far each training has got
columns   the numbers beside the losses, by name
"""
