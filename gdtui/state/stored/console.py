"""Reads what the process of a variant prints, as its file in the run's directory grows."""

import os
from pathlib import Path
from typing import Final

from engine.log.filesystem.safe_open import opened

_MOST_AT_ONCE: Final = 1 << 18
"""Bytes that are read at once; what came before them is skipped."""


class ConsoleTail:
    """The end of a file, from about where it is first read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self.is_missing = False
        """True if there is no such file, as far as is known."""

    def read(self) -> tuple[bytes, bool]:
        """The new bytes; True if they do not follow the earlier ones."""
        try:
            with opened(self.path) as file:
                size = os.fstat(file.fileno()).st_size
                start = self._offset if self._offset <= size else 0
                start = max(start, size - _MOST_AT_ONCE)
                has_jumped = start != self._offset
                file.seek(start)
                data = file.read(_MOST_AT_ONCE)
        except OSError:
            self.is_missing = True
            return b"", False
        self.is_missing = False
        self._offset = start + len(data)
        return data, has_jumped
