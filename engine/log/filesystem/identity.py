"""The identity of a file, to check that a path still leads to the file that was opened there.

Bytes written to a file that has been deleted are lost, and the system reports no error.
"""

import os
from pathlib import Path

import msgspec


class FileIdentity(msgspec.Struct, frozen=True):
    """Identity of a file or directory, independent of its name: it survives a move."""

    device: int
    inode: int

    @classmethod
    def of(cls, file: int | Path) -> "FileIdentity":
        """The identity of an open file, or of what is at a path. Raises OSError."""
        found = os.fstat(file) if isinstance(file, int) else os.lstat(file)
        return cls(found.st_dev, found.st_ino)


class FileGoneError(OSError):
    """A file that is no longer at the path where it was opened; `strerror` says why."""


def absence(path: Path, identity: FileIdentity, size: int = 0) -> str:
    """The reason why this file, with at least `size` bytes, is not at `path`; "" if it is."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return "it was removed or moved"
    except OSError as error:
        return f"it cannot be reached: {error.strerror}"
    if FileIdentity(found.st_dev, found.st_ino) != identity:
        return "another file has taken its place"
    return "another program has cut it short" if found.st_size < size else ""
