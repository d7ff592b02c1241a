"""Programs that print their losses: what they print, read as the steps of a training.

text      the numbers in the bytes of a console
steps     the step of a training to which each loss belongs
readings  what is read: losses, evaluations, remarks for the user
reader    console bytes to readings
journal   readings to records of the run's log
process   the program as a child process
"""

from typing import Final

PROGRAM: Final = "program"
"""The device of a run that was read from a program's output."""
