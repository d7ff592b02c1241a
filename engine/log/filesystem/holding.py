"""Locks that show other processes that a file or a run's directory is in use.

The system releases a lock when its process ends, however it ends; nothing depends on clocks.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.log.filesystem.safe_open import opened

_TRIES: Final = 10


def lock(file: int) -> None:
    """Lock an open file until it is closed; BlockingIOError if another process has locked it.

    Retries for a moment, since a process that only checks for the lock holds it for an instant.
    """
    for _ in range(_TRIES):
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
    raise BlockingIOError


def is_locked(path: Path) -> bool:
    """True while a process has locked the file; False if it is missing or unreadable."""
    try:
        with opened(path) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextlib.contextmanager
def held(path: Path) -> Iterator[int]:
    """Mark a directory as in use while the block runs; yields the descriptor that does so.

    BlockingIOError if another process holds it; OSError if it cannot be opened.
    """
    with _opened(path) as folder:
        lock(folder)
        yield folder


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield folder
    finally:
        os.close(folder)


def is_held(path: Path) -> bool:
    """True while a process holds the directory; False if it is missing or unreadable."""
    try:
        with _opened(path) as folder:
            fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
