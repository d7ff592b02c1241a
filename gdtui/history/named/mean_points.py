"""Values over a training run: every one while they are few, else means over buckets of them."""

from typing import Final

import numpy as np

from gdtui.chart.scene.arrays import Floats, Ints

SAMPLES, MEAN, LOW, HIGH = 0, 4, 5, 6
"""Columns of a row: samples, updates and seconds at its first value, the number of its finite
values, and their mean, lowest and highest; NaN if there are none.
"""
_COUNT: Final = 3
_WIDTH: Final = 7
_MOST: Final = 4_096
"""Number of rows at which pairs are merged: many times the columns of a chart. Even."""


class MeanPoints:
    """The values of one quantity. All buckets are of as many values, but the last."""

    def __init__(self) -> None:
        self._rows = np.empty((0, _WIDTH))
        self._open = np.empty((0, _WIDTH))
        """The values of the last bucket, a row for each."""
        self._size = 1
        self._end = 0.0

    @property
    def values(self) -> Floats:
        """A row for each bucket."""
        if not len(self._open):
            return self._rows
        return np.concatenate([self._rows, merged(self._open, np.array([0]))])

    def add(self, places: Floats, values: Floats) -> None:
        """Add the next values. `places`: samples, updates and seconds of each, as rows."""
        finite = np.isfinite(values)
        known = np.where(finite, values, np.nan)
        rows = np.column_stack([places, finite, known, known, known])
        self._open = np.concatenate([self._open, rows])
        self._end = float(places[-1, 0])
        while whole := min(len(self._open) // self._size, _MOST - len(self._rows)):
            part = self._open[: whole * self._size]
            full = merged(part, np.arange(0, len(part), self._size))
            self._rows, self._open = np.concatenate([self._rows, full]), self._open[len(part) :]
            if len(self._rows) == _MOST:
                self._rows = merged(self._rows, np.arange(0, _MOST, 2))
                self._size *= 2

    def until(self, samples: int) -> "MeanPoints":
        """The buckets that end at this number of samples, or before."""
        past = MeanPoints()
        rows = self.values
        ends = np.append(rows[1:, SAMPLES], self._end)
        past._rows = rows[ends <= samples]
        past._size, past._end = self._size, float(min(self._end, samples))
        return past


def merged(rows: Floats, starts: Ints) -> Floats:
    """The rows of groups of buckets; each group begins at one of `starts`."""
    count = rows[:, _COUNT]
    totals = np.add.reduceat(np.where(count > 0, rows[:, MEAN], 0.0) * count, starts)
    counts = np.add.reduceat(count, starts)
    result = rows[starts].copy()
    result[:, _COUNT] = counts
    result[:, MEAN] = np.divide(totals, counts, out=np.full(len(starts), np.nan), where=counts > 0)
    result[:, LOW] = np.fmin.reduceat(rows[:, LOW], starts)
    result[:, HIGH] = np.fmax.reduceat(rows[:, HIGH], starts)
    return result
