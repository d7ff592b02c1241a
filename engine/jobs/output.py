"""Redirection of stdout and stderr: permanently in a child, temporarily while one is started.

The caller opens the file, since this module does not know which files are safe to open.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


def redirect_output(file: int | None = None) -> None:
    """Send this process's stdout and stderr to an open file permanently; None discards them."""
    if file is None:
        with Path(os.devnull).open("wb") as nowhere:
            redirect_output(nowhere.fileno())
        return
    for number in (1, 2):
        os.dup2(file, number)


@contextlib.contextmanager
def output_redirected(file: int | None = None) -> Iterator[None]:
    """Redirect output during the block, for this process and the processes that it starts."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    saved = [os.dup(1), os.dup(2)]
    try:
        redirect_output(file)
        yield
    finally:
        for number, original in zip((1, 2), saved, strict=True):
            os.dup2(original, number)
            os.close(original)
