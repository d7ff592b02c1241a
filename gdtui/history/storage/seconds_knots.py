"""The training time before batches: a knot for each chunk, linear in between."""

from typing import Final

import numpy as np

from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.history.storage.growing_array import GrowingArray

MAX_KNOTS: Final = 262_144
"""The number (2.2 hours of chunks) at which every other knot is dropped: memory stays bounded, and
the seconds in between are interpolated over two chunks instead of one."""


class SecondsKnots:
    """Index and seconds of each chunk's first batch; the last knot is the end."""

    def __init__(self, most: int = MAX_KNOTS) -> None:
        """`most` is the largest number of knots kept."""
        self._most = most
        self.revision = 0
        """A version that changes when the seconds of earlier batches change."""
        self._knots = GrowingArray("f8", 2)
        self._knots.append(np.zeros((1, 2)))

    def __len__(self) -> int:
        return len(self._knots)

    @property
    def nbytes(self) -> int:
        return self._knots.nbytes

    @property
    def end(self) -> float:
        """Seconds after the last batch."""
        return float(self._knots.values[-1, 1])

    def append(self, end: int, seconds: float, duration: float) -> None:
        """Add a chunk that lasts from these seconds on; `end`: the index after its last batch."""
        knots = self._knots.values
        start = max(seconds, knots[-2, 1] if len(knots) > 1 else 0.0)
        self.revision += int(start != knots[-1, 1])
        knots[-1, 1] = start
        if len(knots) >= self._most:
            self._thin()
        self._knots.append(np.array([[end, start + max(duration, 0.0)]]))

    def extend(self, ends: Ints, seconds: Floats, durations: Floats) -> None:
        """Add chunks, at least one, with the same result as one by one."""
        knots = self._knots.values
        least = knots[-2, 1] if len(knots) > 1 else 0.0
        starts = np.maximum.accumulate(np.maximum(seconds, least))
        self.revision += int(starts[0] != knots[-1, 1])
        knots[-1, 1] = starts[0]
        rows = np.empty((len(ends), 2))
        rows[:, 0] = ends
        rows[:-1, 1] = starts[1:]
        rows[-1, 1] = starts[-1] + max(durations[-1], 0.0)
        while len(rows):
            if len(self._knots) >= self._most:
                self._thin()
            room = max(self._most - len(self._knots), 1)
            self._knots.append(rows[:room])
            rows = rows[room:]

    def _thin(self) -> None:
        knots = self._knots.values
        self.revision += 1
        self._knots.replace(knots[::2].copy() if len(knots) % 2 else np.r_[knots[::2], knots[-1:]])

    def seconds(self, index: Ints) -> Floats:
        """Seconds before these batches."""
        knots = self._knots.values
        seconds: Floats = np.interp(index, knots[:, 0], knots[:, 1])
        return seconds

    def index(self, seconds: Floats) -> Floats:
        """The place of these seconds, in batches."""
        knots = self._knots.values
        index: Floats = np.interp(seconds, knots[:, 1], knots[:, 0])
        return index
