"""The standard streams, as commands need to know them: any of them may be closed, or no terminal."""

import sys
from typing import TextIO


def has_screen() -> bool:
    """True where an app can be shown and its keys be read."""
    return is_terminal(sys.stdin) and is_terminal(sys.stdout)


def is_terminal(stream: TextIO | None) -> bool:
    """True for an open stream that is a terminal."""
    return stream is not None and stream.isatty()
