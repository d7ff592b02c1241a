"""Every loss of one generation of a variant, ready to be drawn at any zoom.

Filled from chunks, read by charts. Must not know other kinds of records, widgets or files.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.log.reading.loss_block import LossBlock
from engine.log.records import Chunk
from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.chart.scene.polyline import Axis, Polyline
from gdtui.history.band import BandCache
from gdtui.history.chunk_losses import losses_of
from gdtui.history.chunks.past import past_chunks
from gdtui.history.drawing import DrawWindow, PolylineCache
from gdtui.history.loss_series import LossSeries
from gdtui.history.positions import Positions
from gdtui.history.settings_segment import SettingsInForce
from gdtui.history.smoothing import SMOOTHING_LADDER, Thinning

_MAX_SPREAD: Final = 131_072
"""Most batches used for σ: if an epoch has more, its last ones."""
_COLUMNS: Final = 128
"""Number of parts for which the extremes of a window are kept up to date."""
_MOST_LRS: Final = 4_096
"""Places at which the lr is looked up where it changes with every update."""


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """A batch as shown at the crosshair; counters start at 1, samples and seconds are before it."""

    batch: int
    update: int
    epoch: int
    samples: int
    seconds: float
    batch_size: int
    """Number of samples in the batch."""
    loss: float
    smoothed: float
    """The average that includes this batch's loss; NaN before the first finite loss."""
    lr: float
    accumulation_steps: int


class History:
    """The losses of one generation. A loss that is not finite is a gap and is not counted.

    The x of a batch in polylines is the position before it. `columns` are columns of dots, two per
    cell, as placed by the raster. A polyline also has the batches just before and after the window,
    so that its line continues to the edges.
    """

    def __init__(self, n: int, thinning: Thinning | None = None) -> None:
        """`n` is the number of samples in the training set, and so in an epoch.

        `thinning`: if it has only a sample of the losses, with gaps between them.
        """
        self._n = n
        self._thinning = thinning
        self._positions = Positions(n)
        self._losses = LossSeries(n, self._positions, thinning)
        self._drawing = PolylineCache(self._positions, self._losses)
        self._bands = BandCache(self._positions, self._losses)
        self._first_sizes: tuple[int, int] | None = None
        self._deviations: tuple[tuple[int, float], NDArray[np.float64]] = (0, 0.0), np.empty(0)
        """The batch and epoch counts of the last call, with its result: each is requested twice."""

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def nbytes(self) -> int:
        """Memory held, including allocated but unused memory."""
        return self._positions.nbytes + self._losses.nbytes

    def append(self, chunk: Chunk) -> None:
        """Add the next chunk; ValueError if its batches do not follow the last one."""
        self._positions.append(chunk)
        self._losses.append(losses_of(chunk))

    def extend(self, block: LossBlock) -> None:
        """Add the chunks of a block, with the same result as one by one."""
        if self._thinning is None:
            self._positions.extend(block)
        else:  # with a gap after each
            for chunk in block.chunks:
                self._positions.append(chunk)
        self._losses.append(block.losses)

    def until(self, batches: int) -> "History":
        """A history of the first `batches` batches, which may go on differently."""
        past = History(self._n, self._thinning)
        for chunk in past_chunks(self._positions, self._losses.raw, min(batches, len(self))):
            past.append(chunk)
        return past

    # --- Figures ----------------------------------------------------------------------------------

    def end(self, axis: Axis) -> float:
        """The position after the last batch."""
        return self._positions.end(axis)

    def place(self, axis: Axis, index: int) -> float:
        """The position of the batch at this index (from 0), which must exist."""
        return float(self._positions.at(axis, np.array([index]))[0])

    def batches_until(self, axis: Axis, position: float) -> int:
        """The number of batches before this position."""
        return int(self._positions.first(axis, np.array([position]), lambda at: at >= position)[0])

    def last(self) -> float:
        """The last loss; NaN if there is none or it is not finite."""
        return float(self._losses.raw(np.array([len(self) - 1]))[0]) if len(self) else math.nan

    def smoothed_last(self, window: float) -> float:
        """The current smoothed loss, across gaps; `window` is a rung of SMOOTHING_LADDER."""
        if not len(self):
            return math.nan
        return self._losses.carried_last(_rung(window))

    def spread(self, epochs: float = 1.0) -> float | None:
        """σ, the standard deviation of `deviations`; None if there are fewer than two."""
        rest = self.deviations(epochs)
        return float(rest.std()) if rest.size >= 2 else None

    def deviations(self, epochs: float = 1.0) -> NDArray[np.float64]:
        """Batch loss − smoothed loss (over ¼ epoch) before it, for the batches of the last epochs.

        Uses at most the last 131,072 batches, and omits values that are not finite.
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

    def settings(self, axis: Axis) -> SettingsInForce:
        """The logged settings, each with where it came into force; many of a schedule's lrs."""
        if not len(self):
            none, ints = np.empty(0), np.empty(0, np.int64)
            return SettingsInForce(none, ints, ints, ints, none)
        index, sizes, steps = self._positions.stretches(_MOST_LRS)
        at, samples = self._positions.at(axis, index), self._positions.samples(index)
        return SettingsInForce(at, samples, sizes, steps, self._positions.lrs(index))

    def first_sizes(self) -> tuple[int, int]:
        """Samples per batch and batches per update at the first batch, which must exist."""
        if self._first_sizes is None:
            spot = self._positions.batch_at(0)
            self._first_sizes = spot.batch_size, spot.accumulation_steps
        return self._first_sizes

    def epoch_ends(self, axis: Axis, low: float, most: int) -> list[float]:
        """The first `most` positions after `low` at which a new epoch began."""
        return self._positions.epoch_ends(axis, low, most)

    # --- Polylines --------------------------------------------------------------------------------

    def polyline(self, axis: Axis, low: float, high: float, columns: int) -> Polyline:
        """Losses in the window: each batch, or low…high per column if there are over `columns`."""
        return self._drawing.polyline(DrawWindow(axis, low, high, columns))

    def smoothed(
        self, axis: Axis, low: float, high: float, columns: int, window: float
    ) -> Polyline:
        """The smoothed losses as in `polyline`, with low…high of the averages after batches."""
        return self._drawing.polyline(DrawWindow(axis, low, high, columns, _rung(window)))

    def band(self, axis: Axis, low: float, high: float, cells: int) -> Polyline:
        """The range from the 10% to the 90% quantile of the losses in each column of cells."""
        return self._bands.band(axis, low, high, cells)

    def means(self, axis: Axis, low: float, high: float, columns: int) -> Polyline:
        """The plain mean of the losses in each entry of `polyline`."""
        return self._drawing.means(DrawWindow(axis, low, high, columns))

    def lrs(self, axis: Axis, low: float, high: float, columns: int) -> Polyline:
        """The lrs in the window, of every batch or of as many as there are columns."""
        if not len(self):
            return Polyline(*(np.empty(0),) * 3)
        start, stop = self._positions.within(axis, low, high)
        first, last = max(start - 1, 0), min(stop, len(self) - 1)
        index = np.linspace(first, last, min(last - first + 1, columns + 2)).round()
        places = index.astype(np.int64)
        lrs = self._positions.lrs(places)
        return Polyline(self._positions.at(axis, places), lrs, lrs)

    def extremes(self, axis: Axis, low: float, high: float) -> tuple[float, float] | None:
        """Lowest and highest loss in the window; None if there is no finite loss."""
        if low <= 0 and high >= self.end(axis):  # the whole history, which every frame requests
            return self._losses.extremes()
        polyline = self.polyline(axis, low, high, _COLUMNS)
        counts = (polyline.x >= low) & (polyline.x <= high) & np.isfinite(polyline.low)
        if not counts.any():
            return None
        return float(polyline.low[counts].min()), float(polyline.high[counts].max())

    def beyond(
        self, axis: Axis, low: float, high: float, y: tuple[float, float]
    ) -> tuple[int, int]:
        """The numbers of losses in the window below and above these limits."""
        start, stop = 0, len(self)
        if low > 0 or high < self.end(axis):
            start, stop = self._positions.within(axis, low, high)
        return self._losses.beyond(start, stop, *y)

    def places(self, index: Ints) -> Floats:
        """Samples, updates and seconds before each of these batches, as rows."""
        return np.column_stack([self._positions.at(axis, index) for axis in Axis])

    # --- Single batches ---------------------------------------------------------------------------

    def find(self, axis: Axis, position: float) -> int | None:
        """The index (from 0) of the nearest batch; None outside the range trained so far."""
        if not len(self) or not 0 <= position <= self.end(axis):
            return None
        after = self._positions.within(axis, position, math.inf)[0]
        pair = np.clip([after - 1, after], 0, len(self) - 1)
        left, right = np.abs(self._positions.at(axis, pair) - position)
        return int(pair[0] if left <= right else pair[1])

    def at(self, index: int, window: float = SMOOTHING_LADDER[0]) -> BatchInfo:
        """All figures of a batch; IndexError if there is none at this index (from 0)."""
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
    """The index of a window on the ladder; ValueError if it is not on the ladder."""
    return SMOOTHING_LADDER.index(window)
