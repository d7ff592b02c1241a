"""A sparse record of the weights during training, in a file of the run, `VARIANT.weights`.

Rows have a fixed size: generation, updates, samples, seconds, the trained parameters as float32. An
incomplete row is ignored. The distance between rows increases, so that a trail stays small however
long training goes on. Plain numpy, since the landscape is drawn from it.

The weights of large models are not recorded: a few rows of 100 million parameters take gigabytes. A
random projection of them would show the paths, but the loss between them needs the weights.
"""

import math
import os
import time
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.log.filesystem.safe_open import opened, read_whole

_MAGIC: Final = b"gdtrail\x01"
_BYTES: Final = 32 << 20
"""Approximate bytes of rows in a million updates; beyond four times that, the file is restarted."""
MOST_PARAMETERS: Final = 10_000_000
"""Parameters of the largest model whose weights are recorded."""
_IMPOSSIBLE: Final = 10**12
"""More parameters than any model has: the header is damaged."""
_SLOW_BYTES: Final = 1 << 20
_SLOWDOWN: Final = 1000
"""After a row of so many bytes, time until the next one, as a multiple of what the row took."""
_CLOSEST: Final = 0.03
"""The distance to the next row is at least this share of the updates done so far."""
_ROWS_AT_ONE: Final = 14.0
"""Rows of a million updates at a growth of 1: ln 10⁶."""


def trail_path(log: Path) -> Path:
    """The file with the trail of the variant that has this log."""
    return log.with_suffix(".weights")


def _row_type(size: int) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("generation", "<u4"),
            ("updates", "<u8"),
            ("samples", "<u8"),
            ("seconds", "<f8"),
            ("weights", "<f4", (size,)),
        ]
    )


def next_row(updates: int, row_bytes: int) -> int:
    """Update count at which the row after `updates` is due; larger rows are due later."""
    growth = max(_CLOSEST, _ROWS_AT_ONE * row_bytes / _BYTES)
    return updates + max(1, math.ceil(updates * growth))


class TrailWriter:
    """Appends rows for models of `size` parameters.

    A file for models of another size is overwritten.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._header = _MAGIC + size.to_bytes(8, "little")
        self.is_kept = size <= MOST_PARAMETERS
        """False if the model is too large: the file has a header only."""
        self._type = _row_type(size if self.is_kept else 0)
        self._due = 0
        self._not_before = 0.0

    def is_due(self, updates: int) -> bool:
        """True if `updates` is far enough beyond the last row, and large rows are paid for."""
        return self.is_kept and updates >= self._due and time.monotonic() >= self._not_before

    def begin(self) -> None:
        """Begin a generation, whose initial weights are due at once. Raises OSError."""
        self._due, self._not_before = 0, 0.0
        with opened(self._path, os.O_RDWR | os.O_CREAT) as file:
            size = os.fstat(file.fileno()).st_size
            if (
                not self.is_kept
                or size > 4 * _BYTES
                or file.read(len(self._header)) != self._header
            ):
                file.truncate(0)
                file.seek(0)
                file.write(self._header)
                return
            whole = (size - len(self._header)) // self._type.itemsize
            file.truncate(len(self._header) + whole * self._type.itemsize)

    def add(
        self,
        generation: int,
        updates: int,
        samples: int,
        seconds: float,
        weights: NDArray[np.floating],
    ) -> None:
        """Append a row. Raises OSError, after which the trail may end in a torn row."""
        if not self.is_kept:
            return
        start = time.monotonic()
        row = np.zeros(1, self._type)
        row[0] = (generation, updates, samples, seconds, weights)
        with opened(self._path, os.O_WRONLY | os.O_APPEND) as file:
            file.write(row.view(np.uint8).data)
        self._due = next_row(updates, self._type.itemsize)
        if self._type.itemsize > _SLOW_BYTES:
            now = time.monotonic()
            self._not_before = now + _SLOWDOWN * (now - start)


class TrailError(Exception):
    """A trail that cannot be read; the message names the file and the reason."""


class Trail:
    """The content of one variant's trail: its latest generation, up to the last complete row."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> NDArray[np.void]:
        """Rows with the fields of `_row_type`; empty before there is a trail. Raises TrailError."""
        try:
            data = read_whole(self._path, _most_read())
        except FileNotFoundError:
            data = b""
        except OSError as error:
            raise TrailError(f"{self._path}: {error.strerror}") from None
        start = len(_MAGIC) + 8
        if len(data) < start or not data.startswith(_MAGIC):
            return np.zeros(0, _row_type(0))
        size = int.from_bytes(data[len(_MAGIC) : start], "little")
        if len(data) == start and MOST_PARAMETERS < size < _IMPOSSIBLE:
            raise TrailError(
                f"weights are recorded for models of up to {MOST_PARAMETERS:,} parameters; this "
                f"one has {size:,}, so that there is no landscape of it"
            )
        if size > len(data):
            return np.zeros(0, _row_type(0))
        kind = _row_type(size)
        rows = np.frombuffer(data, kind, count=(len(data) - start) // kind.itemsize, offset=start)
        return rows[rows["generation"] == rows["generation"][-1]] if len(rows) else rows


def _most_read() -> int:
    """Largest number of bytes read from a trail; processing them takes several times as much."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
