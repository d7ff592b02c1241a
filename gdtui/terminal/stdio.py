"""Keeps the screen for the app: whatever else is printed meanwhile goes to a file."""

import contextlib
import os
import sys
import termios
from collections.abc import Iterator
from typing import Any

from engine.jobs.output import output_redirected


def modes_of(keyboard: int) -> list[Any] | None:
    """The modes of the terminal at this descriptor; None if it is not a terminal."""
    try:
        return termios.tcgetattr(keyboard)
    except termios.error:
        return None


@contextlib.contextmanager
def screen_of_its_own(output: int | None) -> Iterator[None]:
    """Let Textual write to a duplicate of the terminal, and all other output go to an open file.

    None discards it.

    So no warning paints over the screen, neither from this process nor from the server that workers
    are forked from, which inherits stdout and stderr. Textual's driver writes to `sys.__stderr__`,
    and asks `sys.__stdout__` for the size.
    """
    originals = sys.__stdout__, sys.__stderr__
    screen = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="backslashreplace")
    try:
        with output_redirected(output):
            sys.__stdout__ = sys.__stderr__ = screen  # type: ignore[misc]
            try:
                yield
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                sys.__stdout__, sys.__stderr__ = originals  # type: ignore[misc]
    finally:
        with contextlib.suppress(OSError):  # a terminal that is gone accepts no output
            screen.close()
