"""Work that is cut into pieces, so that its caller can do something else between them."""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

Steps = Generator[None, None, T]
"""A generator that yields between pieces of work and returns the result."""


def finish(steps: Steps[T]) -> T:
    """Do the rest of the work at once; return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
