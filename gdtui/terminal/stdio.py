"""Keeps the screen to the app: whatever else is printed meanwhile, by anybody, goes to a file."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def screen_of_its_own(output: Path) -> Iterator[None]:
    """Textual writes to a duplicate of the terminal; all else that is printed goes to a file.

    So no warning paints over the screen, neither from here nor from the server that workers are
    forked from: it inherits stdout and stderr. Textual's driver writes to `sys.__stderr__`, and
    asks `sys.__stdout__` for the size.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved, originals = [os.dup(1), os.dup(2)], (sys.__stdout__, sys.__stderr__)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    screen = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="backslashreplace")
    sys.__stdout__ = sys.__stderr__ = screen  # type: ignore[misc]
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.__stdout__, sys.__stderr__ = originals  # type: ignore[misc]
        for stream, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, stream)
            os.close(copy)
        os.close(file)
        with contextlib.suppress(OSError):  # a terminal that is gone takes nothing more
            screen.close()
