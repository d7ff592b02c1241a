"""Single values over a training run, such as full losses: all if few, else the extremes."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from gdtui.chart.scene.arrays import Floats

_MOST: Final = 8_192
"""Number of points at which half are dropped: many times the columns of a chart."""
_GROUP: Final = 4
"""Number of neighbours of which only the lowest and the highest are kept."""
_COLUMNS: Final = 4


class KeptPoints:
    """Rows of samples, updates, seconds and value, in the order added.

    Dropping keeps the first and the last row, and the lowest and highest of each group.
    """

    def __init__(self, most: int = _MOST) -> None:
        """`most` is the largest number of rows, a multiple of four."""
        self._rows = np.empty((64, _COLUMNS))
        self._size = 0
        self._most = most

    def __len__(self) -> int:
        """The number of rows kept."""
        return self._size

    @property
    def values(self) -> Floats:
        """The rows kept, as a view that is only valid until the next `add`."""
        return self._rows[: self._size]

    def add(self, samples: int, updates: int, seconds: float, value: float) -> None:
        """Add the next row."""
        self.add_all([(samples, updates, seconds, value)])

    def add_all(self, rows: Sequence[tuple[float, float, float, float]]) -> None:
        """Add the next rows, with the same result as one by one."""
        place = 0
        while place < len(rows):
            if self._size == self._most:
                self._thin()
            room = min(self._most - self._size, len(rows) - place)
            self._reserve(self._size + room)
            self._rows[self._size : self._size + room] = rows[place : place + room]
            self._size += room
            place += room

    def _reserve(self, wanted: int) -> None:
        if wanted > len(self._rows):
            grown = np.empty((min(max(2 * len(self._rows), wanted), self._most), _COLUMNS))
            grown[: self._size] = self.values
            self._rows = grown

    def _thin(self) -> None:
        values = np.nan_to_num(self.values[:, 3]).reshape(-1, _GROUP)
        first = np.arange(0, self._size, _GROUP)
        stay = np.zeros(self._size, np.bool_)
        stay[first + values.argmin(axis=1)] = stay[first + values.argmax(axis=1)] = True
        stay[0] = stay[-1] = True
        rows = self.values[stay]
        self._size = len(rows)
        self._rows[: self._size] = rows
