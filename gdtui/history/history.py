"""Every loss of one generation of one variant, ready to be drawn at any zoom.

Fed by chunks, read by charts. Must not know records of any other kind, widgets or files.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.log.records import Chunk
from gdtui.chart.scene.polyline import Axis, Polyline
from gdtui.history.chunk_losses import losses_of
from gdtui.history.drawing import DrawWindow, PolylineCache
from gdtui.history.loss_series import LossSeries
from gdtui.history.positions import Positions
from gdtui.history.smoothing import SMOOTHING_LADDER

_MAX_SPREAD: Final = 131_072
"""Batches that σ is taken over at most: the last ones of an epoch that has more."""
_COLUMNS: Final = 128
"""Parts in which the extremes of a window are kept up to date."""


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """A batch as the crosshair reads it out; counters from 1, samples and seconds before it."""

    batch: int
    update: int
    epoch: int
    samples: int
    seconds: float
    batch_size: int
    """Samples in it."""
    loss: float
    smoothed: float
    """The average with this batch's loss in it; NaN before the first finite one."""
    lr: float
    accumulation_steps: int


class History:
    """The losses of one generation. A loss that is not finite is a gap, and counts nowhere.

    In polylines a batch stands at what was seen before it. `columns` are columns of dots, two a
    cell, as the raster places them. A polyline has, too, the batch before the window and the one
    after it, so that a line runs on to the edge.
    """

    def __init__(self, n: int) -> None:
        """`n`: samples in the training set, an epoch."""
        self._n = n
        self._positions = Positions(n)
        self._losses = LossSeries(n, self._positions)
        self._drawing = PolylineCache(self._positions, self._losses)
        self._deviations: tuple[tuple[int, float], NDArray[np.float64]] = (0, 0.0), np.empty(0)
        """Their counts of batches and epochs, and the deviations: they are asked for twice."""

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def nbytes(self) -> int:
        """Memory held, with what is allocated but still free."""
        return self._positions.nbytes + self._losses.nbytes

    def append(self, chunk: Chunk) -> None:
        """Take in the next chunk; ValueError when its batches do not follow the last ones."""
        self._positions.append(chunk)
        self._losses.append(losses_of(chunk))

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
        return self._losses.carried_last(_rung(window))

    def spread(self, epochs: float = 1.0) -> float | None:
        """σ: standard deviation of `deviations`. None with less than two of them."""
        rest = self.deviations(epochs)
        return float(rest.std()) if rest.size >= 2 else None

    def deviations(self, epochs: float = 1.0) -> NDArray[np.float64]:
        """Batch loss − smoothed loss (over ¼ epoch) before it, of the batches of the last epochs.

        Of the last 131,072 at most; without those that are not finite.
        """
        if self._deviations[0] != (len(self), epochs):
            self._deviations = (len(self), epochs), self._deviating(epochs)
        return self._deviations[1]

    def _deviating(self, epochs: float) -> NDArray[np.float64]:
        since = self._positions.end(Axis.SAMPLES) - epochs * self._n
        start = self._positions.within(Axis.SAMPLES, since, math.inf)[0]
        start = max(start, len(self) - _MAX_SPREAD, 1)
        if start >= len(self):
            return np.empty(0)
        index = np.arange(start, len(self))
        rest = self._losses.raw(index) - self._losses.carried(index - 1, 0)
        return rest[np.isfinite(rest)]

    def epoch_ends(self, axis: Axis, low: float, most: int) -> list[float]:
        """The positions after `low` at which an epoch has followed another: the first ones."""
        return self._positions.epoch_ends(axis, low, most)

    # --- Traces -----------------------------------------------------------------------------------

    def polyline(self, axis: Axis, low: float, high: float, columns: int) -> Polyline:
        """Losses in the window: batch by batch up to `columns` of them, else low…high a column."""
        return self._drawing.polyline(DrawWindow(axis, low, high, columns))

    def smoothed(
        self, axis: Axis, low: float, high: float, columns: int, window: float
    ) -> Polyline:
        """The smoothed losses, likewise: low…high are those of the averages after each batch."""
        return self._drawing.polyline(DrawWindow(axis, low, high, columns, _rung(window)))

    def means(self, axis: Axis, low: float, high: float, columns: int) -> Polyline:
        """The plain mean of the losses in each entry of `polyline`."""
        return self._drawing.means(DrawWindow(axis, low, high, columns))

    def extremes(self, axis: Axis, low: float, high: float) -> tuple[float, float] | None:
        """Lowest and highest loss in the window; None without a finite one."""
        if low <= 0 and high >= self.end(axis):  # the whole history: every frame asks for that
            return self._losses.extremes()
        polyline = self.polyline(axis, low, high, _COLUMNS)
        counts = (polyline.x >= low) & (polyline.x <= high) & np.isfinite(polyline.low)
        if not counts.any():
            return None
        return float(polyline.low[counts].min()), float(polyline.high[counts].max())

    # --- Single batches ---------------------------------------------------------------------------

    def find(self, axis: Axis, position: float) -> int | None:
        """The index (from 0) of the batch drawn nearest; None where no training has been."""
        if not len(self) or not 0 <= position <= self.end(axis):
            return None
        after = self._positions.within(axis, position, math.inf)[0]
        pair = np.clip([after - 1, after], 0, len(self) - 1)
        left, right = np.abs(self._positions.at(axis, pair) - position)
        return int(pair[0] if left <= right else pair[1])

    def at(self, index: int, window: float = SMOOTHING_LADDER[0]) -> BatchInfo:
        """All figures of one batch; IndexError when there is none at this index (from 0)."""
        if not 0 <= index < len(self):
            raise IndexError(f"batch at {index} of {len(self)}")
        one, spot = np.array([index]), self._positions.batch_at(index)
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


def _rung(window: float) -> int:
    """The place of a window on the ladder; ValueError when it is none of it."""
    return SMOOTHING_LADDER.index(window)
