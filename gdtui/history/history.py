"""Every loss of one generation of one variant, ready to be drawn at any zoom.

Fed by chunks, read by charts: turns windows of positions into ranges of batches. Must not know
records of any other kind, widgets or files.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.messages import Chunk
from gdtui.chart.picture import Scale
from gdtui.chart.raster import DOTS_X, place, value_of
from gdtui.history.losses import Losses
from gdtui.history.positions import Positions
from gdtui.history.smoothing import SMOOTHING_LADDER
from gdtui.trace import EMPTY, Axis, Trace

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MAX_SPREAD: Final = 131_072
"""Batches that σ is taken over at most: the last ones of an epoch that has more."""


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """One batch, as the crosshair reads it out; counters from 1, samples and seconds before it."""

    batch: int
    update: int
    epoch: int
    samples: int
    seconds: float
    batch_size: int
    """Samples in it."""
    loss: float
    smoothed: float
    """With this batch's loss in it; NaN before the first finite one."""
    lr: float
    accumulation_steps: int


class History:
    """The losses of one generation. A loss that is not finite is a gap, and counts nowhere.

    In traces a batch stands at what was seen before it. `columns` are columns of dots, two a cell,
    as the raster places them. A trace has, too, the batch before the window and the one after it,
    so that a line runs on to the edge.
    """

    def __init__(self, n: int) -> None:
        """`n`: samples in the training set, an epoch."""
        self._n = n
        self._positions = Positions(n)
        self._losses = Losses(n, self._positions)

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def nbytes(self) -> int:
        """Memory held, with what is allocated but still free."""
        return self._positions.nbytes + self._losses.nbytes

    def append(self, chunk: Chunk) -> None:
        """Take in the next chunk; ValueError when its batches do not follow the last ones."""
        self._positions.append(chunk)
        self._losses.append(np.frombuffer(chunk.losses, "<f4"))

    # --- Figures ----------------------------------------------------------------------------------

    def end(self, axis: Axis) -> float:
        """The position after the last batch."""
        return self._positions.end(axis)

    def last(self) -> float:
        """The last loss; NaN when there is none or it is not finite."""
        return float(self._losses.raw(np.array([len(self) - 1]))[0]) if len(self) else math.nan

    def smoothed_last(self, window: float) -> float:
        """The smoothed loss now, over gaps; `window` in epochs, of SMOOTHING_LADDER."""
        if not len(self):
            return math.nan
        return float(self._losses.carried(np.array([len(self) - 1]), _rung(window))[0])

    def spread(self, epochs: float = 1.0) -> float | None:
        """σ: standard deviation of (batch loss − smoothed loss before it) over the last epochs.

        Smoothed over ¼ epoch. None with less than two such batches.
        """
        since = self._positions.end(Axis.SAMPLES) - epochs * self._n
        start = int(self._first(Axis.SAMPLES, since)) if len(self) else 0
        start = max(start, len(self) - _MAX_SPREAD, 1)
        if start >= len(self):
            return None
        index = np.arange(start, len(self))
        rest = self._losses.raw(index) - self._losses.carried(index - 1, 0)
        rest = rest[np.isfinite(rest)]
        return float(rest.std()) if rest.size >= 2 else None

    # --- Traces -----------------------------------------------------------------------------------

    def trace(self, axis: Axis, low: float, high: float, columns: int) -> Trace:
        """The losses in the window: batch by batch while no more than columns, else low…high a column."""
        start, stop, is_single = self._entries(axis, low, high, columns)
        if not start.size:
            return EMPTY
        if is_single:
            values = self._losses.raw(start)
            return Trace(self._positions.at(axis, start), values, values)
        return Trace(self._positions.at(axis, start), *self._losses.low_high(start, stop))

    def smoothed(self, axis: Axis, low: float, high: float, columns: int, window: float) -> Trace:
        """Likewise the smoothed losses: low…high are those of the averages after each batch."""
        start, stop, is_single = self._entries(axis, low, high, columns)
        if not start.size:
            return EMPTY
        if is_single:
            values = self._losses.smoothed(start, _rung(window))
            return Trace(self._positions.at(axis, start), values, values)
        return Trace(
            self._positions.at(axis, start), *self._losses.smoothed_low_high(start, stop, _rung(window))
        )

    def means(self, axis: Axis, low: float, high: float, columns: int) -> Trace:
        """The plain mean of the losses in each column."""
        start, stop, _ = self._entries(axis, low, high, columns)
        if not start.size:
            return EMPTY
        values = self._losses.mean(start, stop)
        return Trace(self._positions.at(axis, start), values, values)

    def extremes(self, axis: Axis, low: float, high: float) -> tuple[float, float] | None:
        """Lowest and highest loss in the window; None without a finite one."""
        start, stop = self._window(axis, low, high)
        if start >= stop:
            return None
        lowest, highest = self._losses.low_high(np.array([start]), np.array([stop]))
        return None if math.isnan(lowest[0]) else (float(lowest[0]), float(highest[0]))

    # --- Single batches ---------------------------------------------------------------------------

    def find(self, axis: Axis, position: float) -> int | None:
        """The index (from 0) of the batch drawn nearest; None where no training has been."""
        if not len(self) or not 0 <= position <= self.end(axis):
            return None
        after = int(self._first(axis, position))
        pair = np.clip([after - 1, after], 0, len(self) - 1)
        left, right = np.abs(self._positions.at(axis, pair) - position)
        return int(pair[0] if left <= right else pair[1])

    def at(self, index: int, window: float = SMOOTHING_LADDER[0]) -> BatchInfo:
        """Everything about one batch; IndexError when there is none at this index (from 0)."""
        if not 0 <= index < len(self):
            raise IndexError(f"batch at {index} of {len(self)}")
        one, spot = np.array([index]), self._positions.place(index)
        return BatchInfo(
            batch=index + 1,
            update=spot.update,
            epoch=spot.epoch,
            samples=spot.samples,
            seconds=spot.seconds,
            batch_size=spot.batch_size,
            loss=float(self._losses.raw(one)[0]),
            smoothed=float(self._losses.carried(one, _rung(window))[0]),
            lr=spot.lr,
            accumulation_steps=spot.accumulation_steps,
        )

    # --- From windows to ranges -------------------------------------------------------------------

    def _first(self, axis: Axis, position: float) -> np.int64:
        """The first batch at or after a position."""
        wanted = np.array([position])
        first: np.int64 = self._positions.first(axis, wanted, lambda at: at >= wanted)[0]
        return first

    def _window(self, axis: Axis, low: float, high: float) -> tuple[int, int]:
        """The batches low ≤ position ≤ high, as start and stop."""
        edges = np.array([low, high])
        is_low = np.array([True, False])
        start, stop = self._positions.first(
            axis, edges, lambda at: (at > edges) | (is_low & (at >= edges))
        ).tolist()
        return start, max(start, stop)

    def _entries(self, axis: Axis, low: float, high: float, columns: int) -> tuple[Ints, Ints, bool]:
        """The ranges of batches of a trace's entries, and whether each is a single batch."""
        start, stop = self._window(axis, low, high)
        if stop - start <= columns:
            index = np.arange(max(start - 1, 0), min(stop + 1, len(self)))
            return index, index + 1, True
        edges = np.r_[start, self._column_starts(axis, low, high, columns), stop]
        begins, ends = edges[:-1], edges[1:]
        some = begins < ends
        before, after = np.arange(max(start - 1, 0), start), np.arange(stop, min(stop + 1, len(self)))
        return np.r_[before, begins[some], after], np.r_[before + 1, ends[some], after + 1], False

    def _column_starts(self, axis: Axis, low: float, high: float, columns: int) -> Ints:
        """The first batch of each column of dots but the first."""
        scale, cells = Scale(low, high), -(-columns // DOTS_X)
        dots = np.arange(1, cells * DOTS_X)
        left = value_of(0, scale, cells, DOTS_X)
        near: Floats = left + (value_of(1, scale, cells, DOTS_X) - left) * dots.astype(np.float64)
        return self._positions.first(axis, near, lambda at: place(at, scale, cells, DOTS_X) >= dots)


def _rung(window: float) -> int:
    """The place of a window on the ladder; ValueError when it is none of it."""
    return SMOOTHING_LADDER.index(window)
