"""Trains variants in worker processes and records every loss; knows nothing about screens.

Importing this package loads no torch: only workers need it. `Problem` is for the files that users
write.
"""

from engine.problem import Problem

__all__ = ["Problem"]
