"""Programs that print their losses: what they print, read as the steps of a training.

text       the numbers in the bytes of a console
steps      the step of a training to which each loss belongs
questions  what changed its meaning, and the answers
readings   what is read: losses, evaluations, remarks for the user
reader     console bytes to readings
journal    readings to records of the run's log, with parts in writing
process    the program as a child process, and ending
"""

from typing import Final

PROGRAM: Final = "program"
"""The device of a run that was read from a program's output."""
ALWAYS_UNKNOWN: Final = ("samples", "batch_size", "accumulation_steps")
"""Figures that no program prints in a form that is recognised."""
UNKNOWN_AT_FIRST: Final = (*ALWAYS_UNKNOWN, "epoch", "lr")
"""Figures that are unknown before a program has printed a loss."""
