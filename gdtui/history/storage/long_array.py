"""Arrays of unlimited length: the newest rows in memory, the older ones in a temporary file."""

import contextlib
import mmap
import os
import tempfile
import weakref
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.scene.arrays import Ints
from gdtui.history.storage.growing_array import GrowingArray

_HOT_BYTES: Final = 1 << 18
"""Fewest bytes of the newest rows that stay in memory; at most twice as many do."""
_BLOCK_BYTES: Final = 4096
"""Number of bytes read at once: a page."""
_MOST_READS: Final = 16
"""Blocks up to which each is read by a call; more are taken from a mapping of the whole file."""
_PIECE_ROWS: Final = 1 << 16
"""Rows of a piece that is read in order: few enough for a cache."""


class LongArray:
    """Rows of one dtype, appended in blocks and read by index.

    If no temporary file can be written, all rows stay in memory.
    """

    def __init__(self, dtype: str, *shape: int, hot_bytes: int = _HOT_BYTES) -> None:
        self._newest = GrowingArray(dtype, *shape)
        self._type, self._shape = np.dtype(dtype), shape
        self._row_bytes = self._type.itemsize * max(int(np.prod(shape)), 1)
        self._hot_rows = max(hot_bytes // self._row_bytes, 1)
        self._block_rows = max(_BLOCK_BYTES // self._row_bytes, 1)
        self._stored = 0
        """Number of rows in the file."""
        self._file: int | None = None
        self._is_storing = True

    def __len__(self) -> int:
        return self._stored + len(self._newest)

    @property
    def nbytes(self) -> int:
        """Memory allocated, including unused memory."""
        return self._newest.nbytes

    def append(self, rows: NDArray[Any]) -> None:
        """Add the next rows."""
        self._newest.append(rows)
        if len(self._newest) > 2 * self._hot_rows and self._is_storing:
            try:
                self._store()
            except OSError:  # a full disk
                self._is_storing = False

    def _store(self) -> None:
        if self._file is None:
            self._file = _temporary_file()
            weakref.finalize(self, os.close, self._file)
        rows = self._newest.values
        old = len(rows) - self._hot_rows
        data = rows[:old].data.cast("B")
        done, start = 0, self._stored * self._row_bytes
        while done < len(data):
            done += os.pwrite(self._file, data[done:], start + done)
        self._stored += old
        self._newest.replace(rows[old:].copy())

    # --- Reading --------------------------------------------------------------------------------

    def since(self, start: int, stop: int | None = None) -> NDArray[Any]:
        """The rows from `start` on, or up to `stop`, only valid until the next append."""
        stop = len(self) if stop is None else min(stop, len(self))
        if start >= self._stored:
            return self._newest.values[start - self._stored : max(stop - self._stored, 0)]
        return self.take(np.arange(start, stop))

    def pieces(self, start: int, stop: int) -> Iterator[NDArray[Any]]:
        """The rows start…stop−1 in pieces of bounded size, each only valid until the next."""
        buffer = np.empty((min(_PIECE_ROWS, max(stop - start, 0)), *self._shape), self._type)
        for first in range(start, min(stop, self._stored), _PIECE_ROWS):
            piece = buffer[: min(stop, self._stored) - first]
            assert self._file is not None
            os.preadv(self._file, [piece.data.cast("B")], first * self._row_bytes)
            yield piece
        if (first := max(start, self._stored)) < stop:
            yield self._newest.values[first - self._stored : stop - self._stored]

    def take(self, index: Ints) -> NDArray[Any]:
        """The rows at these indices, in any order and shape."""
        if not self._stored or not index.size or index.min() >= self._stored:
            newest: NDArray[Any] = self._newest.values[index - self._stored]
            return newest
        taken = np.empty((*index.shape, *self._shape), self._type)
        is_old = index < self._stored
        taken[is_old] = self._read(index[is_old])
        taken[~is_old] = self._newest.values[index[~is_old] - self._stored]
        return taken

    def _read(self, index: Ints) -> NDArray[Any]:
        """Read rows from the file, each block once."""
        assert self._file is not None
        if len(index) > _MOST_READS:
            with contextlib.suppress(OSError):  # a file system that cannot map files
                return self._mapped(index)
        blocks, place = np.unique(index // self._block_rows, return_inverse=True)
        buffer = np.zeros((len(blocks), self._block_rows, *self._shape), self._type)
        block_bytes = self._block_rows * self._row_bytes
        cuts = [0, *((np.diff(blocks) > 1).nonzero()[0] + 1).tolist(), len(blocks)]
        for first, stop in pairwise(cuts):  # neighbours are read at once
            part = buffer[first:stop].data.cast("B")
            os.preadv(self._file, [part], int(blocks[first]) * block_bytes)
        rows: NDArray[Any] = buffer[place, index % self._block_rows]
        return rows

    def _mapped(self, index: Ints) -> NDArray[Any]:
        """Read many rows from the file, without a call for each block.

        The mapping ends with the call, or the pages read would count as memory of this process.
        """
        assert self._file is not None
        size = self._stored * self._row_bytes
        with mmap.mmap(self._file, size, access=mmap.ACCESS_READ) as mapped:
            stored = np.frombuffer(mapped, self._type).reshape(-1, *self._shape)
            rows: NDArray[Any] = stored[index]
            del stored  # it holds the mapping open
        return rows


def _temporary_file() -> int:
    """A file without a name, and not in /tmp, which is in memory on many machines."""
    place = os.environ.get("TMPDIR") or ("/var/tmp" if os.access("/var/tmp", os.W_OK) else None)
    with tempfile.TemporaryFile(dir=place, buffering=0) as file:
        return os.dup(file.fileno())
