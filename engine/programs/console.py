"""The console of a program, kept in a file of the run for the user alone."""

import contextlib
import os
from pathlib import Path
from typing import Final

from engine.log.filesystem.safe_open import output_opened

MOST_BYTES: Final = 16 << 20
"""Size limit of the file."""
_KEPT: Final = 4 << 20
"""Bytes that stay when the file has reached its limit: the last ones."""


class ConsoleFile:
    """A file with the last part of what a program has printed. It never raises."""

    def __init__(self, path: Path, most: int = MOST_BYTES, kept: int = _KEPT) -> None:
        """Begin the file; if that fails, nothing is kept."""
        self._most, self._kept = most, kept
        self._file = -1
        self._size = 0
        with contextlib.suppress(OSError), output_opened(path) as file:
            self._file = os.dup(file)
            self._size = os.fstat(self._file).st_size
        self._last = bytearray()

    def write(self, data: bytes) -> None:
        """Add what the program has printed; the beginning goes once the file is too long."""
        if self._file < 0:
            return
        self._last += data
        if len(self._last) > 2 * self._kept:
            del self._last[: -self._kept]
        with contextlib.suppress(OSError):  # a full disk; the log reports it
            if self._size + len(data) > self._most:
                os.ftruncate(self._file, 0)
                data, self._size = bytes(self._last[-self._kept :]), 0
            self._size += os.write(self._file, data)

    def close(self) -> None:
        """Close the file. Safe to repeat."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
