"""Waits until a disk has what it was given: before that, a power cut loses it."""

import contextlib
import errno
import fcntl
import os
from pathlib import Path
from typing import Final

_UNABLE: Final = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EBADF}
"""Errors of file systems that cannot do it, as some cannot for directories."""


def sync_file(file: int) -> None:
    """Wait for all that was written to an open file, or for the names in an open directory.

    Raises OSError where the disk does not take it.
    """
    if (full := getattr(fcntl, "F_FULLFSYNC", None)) is not None:  # macOS: fsync stops short
        with contextlib.suppress(OSError):
            fcntl.fcntl(file, full)
            return
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in _UNABLE:
            raise


def sync_directory(path: Path) -> None:
    """Wait for the names in that directory, as after a file was made or renamed there."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (PermissionError, FileNotFoundError):
        return  # names can be made in it, but not listed; or it was removed, as others will tell
    try:
        sync_file(folder)
    finally:
        os.close(folder)
