"""The lr of single updates, where a schedule changes it: the older ones in a temporary file."""

import numpy as np

from engine.log.records import Chunk
from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.history.storage.long_array import LongArray


class UpdateLrs:
    """The lrs of consecutive updates, segment after segment."""

    def __init__(self) -> None:
        self._lrs = LongArray("f8")

    def __len__(self) -> int:
        return len(self._lrs)

    @property
    def nbytes(self) -> int:
        return self._lrs.nbytes

    def keep(self, chunk: Chunk, start: int, updates: int) -> None:
        """Take in the lrs of a chunk's updates.

        `start`: the place of its segment's first lr. `updates`: those before the segment.
        """
        if isinstance(chunk.lr, bytes):
            lrs = np.frombuffer(chunk.lr, "<f8")
        else:
            lrs = np.full(chunk.last_update - chunk.update + 1, chunk.lr)
        # The first one may be there: its update had begun.
        missing = chunk.last_update - updates - (len(self._lrs) - start)
        self._lrs.append(lrs[max(len(lrs) - missing, 0) :])

    def take(self, places: Ints) -> Floats:
        """The lrs at these places."""
        lrs: Floats = self._lrs.take(places)
        return lrs
