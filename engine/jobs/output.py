"""Redirection of stdout and stderr: for good in a process of ours, else while a child starts.

Into a file that the caller has opened: which files may be opened for that is not known here.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


def redirect_output(file: int | None = None) -> None:
    """stdout and stderr of this process go to that open file, for good; None: nowhere."""
    if file is None:
        with Path(os.devnull).open("wb") as nowhere:
            redirect_output(nowhere.fileno())
        return
    for number in (1, 2):
        os.dup2(file, number)


@contextlib.contextmanager
def output_redirected(file: int | None = None) -> Iterator[None]:
    """Likewise while the block runs, for this process and what it starts meanwhile."""
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
