"""Redirection of stdout and stderr: for good in a process of ours, else while a child starts."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


def redirect_output(path: Path) -> None:
    """stdout and stderr of this process go to the end of that file, for good."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (1, 2):
        os.dup2(file, number)
    os.close(file)


@contextlib.contextmanager
def output_redirected(path: Path) -> Iterator[None]:
    """Likewise while the block runs, for this process and what it starts meanwhile."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    saved = [os.dup(1), os.dup(2)]
    try:
        redirect_output(path)
        yield
    finally:
        for number, original in zip((1, 2), saved, strict=True):
            os.dup2(original, number)
            os.close(original)
