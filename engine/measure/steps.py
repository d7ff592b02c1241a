"""Work that is cut into pieces, so that whoever runs it can do something else between them."""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

Steps = Generator[None, None, T]
"""Yields between its pieces; its return value is the result."""


def finish(steps: Steps[T]) -> T:
    """Do all that is left of the work at once; its result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
