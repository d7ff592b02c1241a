"""The band of a curve, column by column of cells, updated as batches arrive.

A column with few batches borrows some of its neighbours', for the band of three losses says
nothing; where even those are too few, as with the full batch, there is none. The newest column,
which may get more batches, has the band of its first 16, 32, 64, …: it need not change with every
frame, and is the same however the batches arrived. Owns no losses.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from gdtui.chart.drawing.raster import place, value_of
from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.chart.scene.picture import Scale
from gdtui.chart.scene.polyline import EMPTY, Axis, Polyline
from gdtui.history.loss_series import LossSeries
from gdtui.history.positions import Positions

SHARES: Final = (0.1, 0.9)
_WANTED: Final = 16
"""Batches that a column should have, its neighbours' included."""
_FEWEST: Final = 8
_REACH: Final = 24
"""A column borrows from its neighbours within this part of the width."""
_MAX_KEPT: Final = 8

_Key = tuple[Axis, float, float, int]


@dataclass(frozen=True, slots=True)
class _Columns:
    """The first batch of each column, the quantiles of each, and the batches they are from."""

    edges: Ints
    """One more than there are columns; the last is the first batch after the window."""
    low: Floats
    high: Floats
    size: int
    most: int = 0
    """With fewer batches in the history, the columns stay as they are…"""
    end: float = 0.0
    """…as long as the last of them ends here or before."""

    def lasts(self, size: int, end: float) -> bool:
        """True if the columns are still those for a history of this size and end."""
        is_closed = bool(self.edges[-1] < self.size)  # a batch follows the window
        return self.size == size or is_closed or (size < self.most and end <= self.end)


class BandCache:
    """The recently computed bands of a history."""

    def __init__(self, positions: Positions, losses: LossSeries) -> None:
        self._positions = positions
        self._losses = losses
        self._kept: dict[_Key, tuple[int, _Columns, Polyline]] = {}

    def band(self, axis: Axis, low: float, high: float, cells: int) -> Polyline:
        """The range of 80% of the losses in each of `cells` columns, at the columns' middles.

        The same object as long as nothing has changed.
        """
        key, size = (axis, low, high, cells), len(self._positions)
        if not size or not cells:
            return EMPTY
        revision = self._positions.revision if axis is Axis.SECONDS else 0
        was, before, polyline = self._kept.pop(key, (0, None, EMPTY))
        if before is None or was != revision:
            now = self._grown(_nothing(cells), key)
        elif before.lasts(size, self._positions.end(axis)):
            now = before
        else:
            now = self._grown(before, key)
        if now is not before:
            polyline = _polyline(now, Scale(low, high), cells)
        self._kept[key] = revision, now, polyline
        if len(self._kept) > _MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        return polyline

    def _grown(self, before: _Columns, key: _Key) -> _Columns:
        """The columns with the batches that arrived since; earlier columns stay as they are."""
        axis, low, high, cells = key
        scale, size = Scale(low, high), len(self._positions)
        reach = max(cells // _REACH, 1)
        unknown = int(np.searchsorted(before.edges, before.size)) if before.size else 0
        open_at = max(unknown - 1, 0)  # this column may get more batches
        last = min(int(place(np.array([self._positions.end(axis)]), scale, cells, 1)[0]), cells)
        edges = before.edges.copy()
        edges[unknown:] = size
        columns = np.arange(unknown, max(last, 0) + 1)
        if columns.size:
            near = np.array([value_of(float(each), scale, cells, 1) for each in columns])
            edges[columns] = self._positions.first(
                axis, near, lambda at: np.floor(place(at, scale, cells, 1)) >= columns
            )
        start = max(open_at - reach, 0)
        if np.all(np.diff(edges[start : open_at + 1]) >= _WANTED):  # no column borrows any
            start = min(open_at, cells - 1)
        bounds = self._bounds(edges, reach, start, min(max(last, 0) + 1, cells))
        found = self._losses.quantiles(*bounds, SHARES)
        lows, highs = before.low.copy(), before.high.copy()
        lows[start : start + found.shape[1]], highs[start : start + found.shape[1]] = found
        near = np.diff(edges[max(last - reach, 0) : last + 2])
        if not 0 <= last < cells or np.any(near < _WANTED):  # every batch may change a column
            return _Columns(edges, lows, highs, size)
        most = int(edges[last]) + 2 * _power_of_two(int(near[-1]))
        return _Columns(edges, lows, highs, size, most, value_of(last + 1.0, scale, cells, 1))

    def _bounds(self, edges: Ints, reach: int, start: int, stop: int) -> tuple[Ints, Ints]:
        """The batches of each column start…stop−1, with those it borrows; empty if too few."""
        columns = np.arange(start, max(stop, start))
        first, end = edges[columns], edges[columns + 1]
        lack = np.maximum(_WANTED - (end - first) + 1, 0) // 2
        least = edges[np.maximum(columns - reach, 0)]
        most = edges[np.minimum(columns + reach + 1, len(edges) - 1)]
        begin = np.where(lack > 0, np.maximum(first - lack, least), first)
        finish = np.where(lack > 0, np.minimum(end + lack, most), end)
        if stop > start and lack[-1] == 0 and end[-1] == len(self._positions):
            finish[-1] = first[-1] + _power_of_two(int(end[-1] - first[-1]))
        return begin, np.where(finish - begin < _FEWEST, begin, finish)


def _power_of_two(batches: int) -> int:
    """The largest power of two up to this number, which is not 0."""
    return int(1 << batches.bit_length() - 1)


def _nothing(cells: int) -> _Columns:
    nan = np.full(cells, np.nan)
    return _Columns(np.zeros(cells + 1, np.int64), nan, nan.copy(), 0)


def _polyline(columns: _Columns, scale: Scale, cells: int) -> Polyline:
    found = np.flatnonzero(np.isfinite(columns.low))
    first = value_of(0.5, scale, cells, 1)
    step = value_of(1.5, scale, cells, 1) - first
    middles: Floats = first + step * found.astype(np.float64)
    return Polyline(middles, columns.low[found], columns.high[found])
