"""Waits until written data is on the disk; until then, a power cut loses it."""

import contextlib
import errno
import fcntl
import os
from pathlib import Path
from typing import Final

_UNABLE: Final = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EBADF}
"""Errors of file systems that cannot sync; some cannot sync directories."""


def sync_file(file: int) -> None:
    """Wait until the content of an open file, or the names in an open directory, are on the disk.

    Raises OSError if writing to the disk fails.
    """
    if (full := getattr(fcntl, "F_FULLFSYNC", None)) is not None:  # on macOS, fsync is not enough
        with contextlib.suppress(OSError):
            fcntl.fcntl(file, full)
            return
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in _UNABLE:
            raise


def sync_directory(path: Path) -> None:
    """Wait until the names in a directory are on the disk, after creating or renaming a file."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (PermissionError, FileNotFoundError):
        return  # not listable though writable; or removed, which other code reports
    try:
        sync_file(folder)
    finally:
        os.close(folder)
