"""Turns windows of positions into polylines, and updates them as batches arrive.

While the axes do not change, a chart requests the same window in every frame; then only the new
batches are processed. Owns no losses and no positions.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from gdtui.chart.drawing.raster import DOTS_X, place, value_of
from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.chart.scene.picture import Scale
from gdtui.chart.scene.polyline import EMPTY, Axis, Polyline
from gdtui.history.loss_series import LossSeries
from gdtui.history.positions import Positions

_MAX_KEPT: Final = 16
"""Most windows kept up to date: enough for a few charts with a few smoothings."""
_MAX_NEW: Final = 2_048
"""Most new batches that are added one by one; with more, whole columns are faster."""
_OUTSIDE: Final = 2**40
"""The column of the batch after the window."""


@dataclass(frozen=True, slots=True)
class DrawWindow:
    """A window of positions to draw, and the number of columns."""

    axis: Axis
    low: float
    high: float
    columns: int
    """Columns of dots."""
    window: int | None = None
    """The rung of the smoothing ladder; None for the losses themselves."""

    def column_of(self, position: Floats) -> Floats:
        """The column of dots in which the raster places a position."""
        return np.floor(place(position, Scale(self.low, self.high), self.cells, DOTS_X))

    @property
    def place(self) -> tuple[Axis, float, float, int]:
        """The window without the smoothing, which does not affect positions."""
        return self.axis, self.low, self.high, self.columns

    @property
    def cells(self) -> int:
        return -(-self.columns // DOTS_X)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A polyline, and the batches from which it was drawn."""

    polyline: Polyline
    size: int
    last: int
    """The first batch of its last entry."""
    is_single: bool
    is_closed: bool
    """True if a batch follows the window, so that later batches are not in it."""


@dataclass(frozen=True, slots=True)
class _Entries:
    """The ranges of batches, one for each entry of a polyline."""

    start: Ints
    stop: Ints
    is_single: bool
    """True if each range is a single batch."""
    is_closed: bool
    """True if a batch follows the window."""


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """The batches that arrived in a window since its polyline was drawn."""

    index: Ints
    at: Floats
    """The position of that polyline's last entry, then those of the batches."""
    begins: Ints
    """Batches that begin a column of dots; those before them continue the last column."""
    is_closed: bool
    """True if the last batch lies after the window."""


class PolylineCache:
    """The recently drawn polylines of a history."""

    def __init__(self, positions: Positions, losses: LossSeries) -> None:
        self._positions = positions
        self._losses = losses
        self._kept: dict[tuple[DrawWindow, int], _Drawn] = {}
        # The last results and their windows: a chart's raw and smoothed losses share positions.
        self._entered: tuple[object, _Entries] | None = None
        self._arrived: tuple[object, _Arrivals] | None = None

    def polyline(self, view: DrawWindow) -> Polyline:
        """The polyline of a window; the same object as long as nothing has changed."""
        revision = self._positions.revision if view.axis is Axis.SECONDS else 0
        drawn = self._kept.pop((view, revision), None)
        if drawn is None or not (drawn.is_closed or drawn.size == len(self._positions)):
            drawn = self._redrawn(drawn, view)
        self._kept[view, revision] = drawn
        if len(self._kept) > _MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        return drawn.polyline

    def means(self, view: DrawWindow) -> Polyline:
        """The plain mean of the losses in each entry."""
        entries = self._entries(view)
        if not entries.start.size:
            return EMPTY
        values = self._losses.mean(entries.start, entries.stop)
        return Polyline(self._positions.at(view.axis, entries.start), values, values)

    def _redrawn(self, drawn: _Drawn | None, view: DrawWindow) -> _Drawn:
        if drawn is None or drawn.is_single:
            return self._afresh(view)
        is_short = len(self._positions) - drawn.size <= _MAX_NEW
        return self._extended(drawn, view) if is_short else self._regrown(drawn, view)

    # --- From the batches -------------------------------------------------------------------------

    def _afresh(self, view: DrawWindow) -> _Drawn:
        entries = self._entries(view)
        polyline = self._polyline_of(entries, view) if entries.start.size else EMPTY
        return self._drawn(polyline, entries)

    def _regrown(self, drawn: _Drawn, view: DrawWindow) -> _Drawn:
        """The polyline with its last column and all later ones drawn afresh."""
        entries, old = self._entries(view, drawn.last), drawn.polyline
        new = self._polyline_of(entries, view)
        pairs = ((old.x, new.x), (old.low, new.low), (old.high, new.high))
        return self._drawn(Polyline(*(_after(was[:-1], now) for was, now in pairs)), entries)

    def _drawn(self, polyline: Polyline, entries: _Entries) -> _Drawn:
        last = int(entries.start[-1]) if entries.start.size else 0
        size, is_single = len(self._positions), entries.is_single
        return _Drawn(polyline, size, last, is_single, entries.is_closed)

    def _polyline_of(self, entries: _Entries, view: DrawWindow) -> Polyline:
        start, stop = entries.start, entries.stop
        x = self._positions.at(view.axis, start)
        if entries.is_single:
            values = self._values(start, view)
            return Polyline(x, values, values)
        if view.window is None:
            return Polyline(x, *self._losses.low_high(start, stop))
        return Polyline(x, *self._losses.smoothed_low_high(start, stop, view.window))

    def _values(self, index: Ints, view: DrawWindow) -> Floats:
        return (
            self._losses.raw(index)
            if view.window is None
            else self._losses.smoothed(index, view.window)
        )

    def _entries(self, view: DrawWindow, since: int | None = None) -> _Entries:
        """Those from batch `since` on, which begins a column; None for all."""
        of = (*view.place, since, len(self._positions), self._positions.revision)
        if self._entered is None or self._entered[0] != of:
            self._entered = of, self._entering(view, since)
        return self._entered[1]

    def _entering(self, view: DrawWindow, since: int | None) -> _Entries:
        if since is not None:
            return self._continuing(view, since)
        size = len(self._positions)
        start, stop = self._positions.within(view.axis, view.low, view.high)
        is_closed = stop < size
        if stop - start <= view.columns:
            index = np.arange(max(start - 1, 0), stop + is_closed)
            return _Entries(index, index + 1, True, is_closed)
        before = np.arange(max(start - 1, 0), start)
        begins, ends = self._columns(view, start, stop, 0, view.cells * DOTS_X - 1)
        after = np.arange(stop, stop + is_closed)
        starts, stops = (before, begins, after), (before + 1, ends, after + 1)
        return _Entries(np.concatenate(starts), np.concatenate(stops), False, is_closed)

    def _continuing(self, view: DrawWindow, since: int) -> _Entries:
        size = len(self._positions)
        at = self._positions.at(view.axis, np.array([since, size - 1]))
        is_closed = bool(at[1] > view.high)
        stop = self._positions.within(view.axis, view.low, view.high)[1] if is_closed else size
        first, last = np.minimum(view.column_of(at), view.cells * DOTS_X - 1).tolist()
        begins, ends = self._columns(view, since, stop, first, last)
        after = np.arange(stop, stop + is_closed)
        starts, stops = (begins, after), (ends, after + 1)
        return _Entries(np.concatenate(starts), np.concatenate(stops), False, is_closed)

    def _columns(
        self, view: DrawWindow, start: int, stop: int, first: float, last: float
    ) -> tuple[Ints, Ints]:
        """The batches start…stop−1, which are in the columns first…last, by column."""
        edges = np.concatenate(([start], self._column_starts(view, first, last), [stop]))
        some = edges[:-1] < edges[1:]
        return edges[:-1][some], edges[1:][some]

    def _column_starts(self, view: DrawWindow, first: float, last: float) -> Ints:
        """The first batch of each column after the first one, up to the last."""
        scale, dots = Scale(view.low, view.high), np.arange(first + 1.0, last + 1.0)
        left = value_of(0, scale, view.cells, DOTS_X)
        near = left + (value_of(1, scale, view.cells, DOTS_X) - left) * dots
        return self._positions.first(view.axis, near, lambda at: view.column_of(at) >= dots)

    # --- From what was drawn ----------------------------------------------------------------------

    def _extended(self, drawn: _Drawn, view: DrawWindow) -> _Drawn:
        """The polyline with the new batches added to its last column and in new columns."""
        new, old = self._arrivals(drawn, view), drawn.polyline
        values = self._values(new.index, view)
        low = np.fmin.reduceat(_after(old.low[-1:], values), new.begins)
        high = np.fmax.reduceat(_after(old.high[-1:], values), new.begins)
        x = _after(old.x[:-1], new.at[new.begins])
        polyline = Polyline(x, _after(old.low[:-1], low), _after(old.high[:-1], high))
        last = int(new.index[new.begins[-1] - 1]) if new.begins[-1] else drawn.last
        return _Drawn(polyline, len(self._positions), last, False, new.is_closed)

    def _arrivals(self, drawn: _Drawn, view: DrawWindow) -> _Arrivals:
        size = len(self._positions)
        of = (*view.place, drawn.size, size)
        if self._arrived is None or self._arrived[0] != of:
            index = np.arange(drawn.size, size)
            at = self._positions.at(view.axis, index)
            inside = int(np.searchsorted(at, view.high, "right"))
            is_closed = inside < index.size
            index, at = (
                index[: inside + is_closed],
                _after(drawn.polyline.x[-1:], at[: inside + is_closed]),
            )
            column = view.column_of(at)
            column[inside + 1 :] = _OUTSIDE
            begins = np.concatenate(([0], (column[1:] != column[:-1]).nonzero()[0] + 1))
            self._arrived = of, _Arrivals(index, at, begins, is_closed)
        return self._arrived[1]


def _after(before: Floats, these: Floats) -> Floats:
    """Two arrays joined; `np.r_` takes ten times as long."""
    return np.concatenate((before, these))
