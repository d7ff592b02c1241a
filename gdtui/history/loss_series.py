"""Losses by index: of single batches, and low, high, mean and smoothed losses of ranges.

Owns the numbers, not their positions. A loss that is not finite is a gap: it is not counted, and a
range of gaps only is NaN.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.scene.arrays import Bools, Floats, Ints
from gdtui.history.positions import Positions
from gdtui.history.running_average import RunningAverage
from gdtui.history.smoothing import (
    SMOOTHING_LADDER,
    Smoothing,
    Thinning,
    most_a_batch,
    time_constants,
)
from gdtui.history.storage import pyramid
from gdtui.history.storage.bucket_sizes import BucketSizes, bucket_sizes
from gdtui.history.storage.long_array import LongArray
from gdtui.history.storage.pyramid import BUCKET, Pyramid, cover
from gdtui.history.storage.sampled_losses import MOST, SampledLosses

_MAX_OPEN: Final = 1_024
"""Number of buckets added at once: enough to hide the cost of calls, few enough for a cache."""
_MAX_NEWEST: Final = 2_048
"""Most new batches by which an average is updated one by one.

With more, processing whole buckets is faster.
"""
_HOT_BYTES: Final = 1 << 20
"""Bytes of the newest losses that stay in memory, including all losses used for σ."""
_MOST_COUNTS: Final = 8
"""Counts kept: each chart has its own limits."""
_SPARSE: Final = 50
"""One of so many buckets is the most that are read singly rather than with all others."""
_MOST_DIRECT: Final = 1 << 17
"""Number of losses up to which reading all is faster than the calls for choosing reductions."""
_MOST_UNRANGED: Final = 1 << 16
"""Number of new batches at which the extremes are updated even if not requested."""


@dataclass(frozen=True, slots=True)
class _Buckets:
    """Batches in rows of 32; an incomplete last row is filled with gaps."""

    losses: Floats
    """Losses; 0 for a gap."""
    finite: Bools
    sizes: Floats
    """Numbers of samples; 0 for a gap."""


class LossSeries:
    """Every loss, with reductions that keep ranges cheap however long they are."""

    def __init__(self, n: int, positions: Positions, thinning: Thinning | None = None) -> None:
        """`thinning`: if these are only a sample of the losses."""
        self._positions = positions
        taus = time_constants(n, thinning)
        self._is_sample = thinning is not None
        self._passed: Callable[[Ints], Ints | Floats] = positions.samples
        """The samples before batches, as the averages count them."""
        if thinning is not None:
            self._passed = partial(positions.evenly_passed, most=most_a_batch(taus))
        self._raw = LongArray("f4", hot_bytes=_HOT_BYTES)
        self._closed = 0
        """Number of buckets in the reductions and the smoothing."""
        self._ranged = 0
        """Number of batches in the extremes."""
        self._beyond: dict[tuple[int, float, float], tuple[int, int, int]] = {}
        """The last counts of losses beyond limits, by start and limits, each with its end."""
        self._lowest, self._highest = math.inf, -math.inf
        # One for the losses themselves, then one for the averages of each rung of the ladder.
        self._low = Pyramid(np.minimum, "f4", math.inf, 1 + len(SMOOTHING_LADDER))
        self._high = Pyramid(np.maximum, "f4", -math.inf, 1 + len(SMOOTHING_LADDER))
        self._sum = Pyramid(np.add, "f8", 0.0)
        self._count = Pyramid(np.add, "i4", 0.0)
        self._sampled = SampledLosses()
        self._smoothing = Smoothing(taus)
        self._newest = tuple(map(RunningAverage, taus))
        """The averages after the newest batches, by rung."""

    @property
    def nbytes(self) -> int:
        reductions = (self._low, self._high, self._sum, self._count, self._sampled)
        averages = self._smoothing.nbytes + sum(each.nbytes for each in self._newest)
        return self._raw.nbytes + averages + sum(each.nbytes for each in reductions)

    def append(self, losses: NDArray[np.float32]) -> None:
        """Add the losses of the batches just added to the positions."""
        self._raw.append(losses)
        if len(self._raw) // BUCKET - self._closed >= _MAX_OPEN:
            self._close()
        if len(self._raw) - self._ranged >= _MOST_UNRANGED:
            self.extremes()

    def _close(self) -> None:
        """Add complete buckets, many at a time, since calls take most of the time."""
        while buckets := min(len(self._raw) // BUCKET - self._closed, _MAX_OPEN):
            self._close_buckets(buckets)
            self._closed += buckets

    def _close_buckets(self, buckets: int) -> None:
        """Add the next buckets, each as a column of 32 batches: then numpy is at its fastest."""
        first = self._closed * BUCKET
        raw = self._raw.since(first, first + buckets * BUCKET).reshape(-1, BUCKET)
        losses = raw.T.astype(np.float64, order="C")
        sizes = self._sizes_of(buckets)
        is_finite = np.isfinite(raw)
        has_gaps = not is_finite.all()
        counts = np.full(buckets, BUCKET)
        if has_gaps:
            finite = is_finite.T
            sizes, counts = sizes.without_gaps(finite), np.count_nonzero(finite, axis=0)
            losses[~finite] = 0.0
            raw = np.where(is_finite, raw, np.nan)
        averages = self._smoothing.append(losses, sizes)
        every = [losses[:, None], averages]
        highs = [np.where(finite[:, None], each, -np.inf) for each in every] if has_gaps else every
        lows = [np.where(finite[:, None], each, np.inf) for each in every] if has_gaps else every
        self._low.append(np.concatenate([each.min(axis=0) for each in lows]).T)
        self._high.append(np.concatenate([each.max(axis=0) for each in highs]).T)
        self._sum.append(losses.sum(axis=0)[:, None])
        self._count.append(counts[:, None])
        self._sampled.append(raw.ravel())

    def _sizes_of(self, buckets: int) -> BucketSizes:
        """The samples in the batches of the next buckets."""
        first, count = self._closed * BUCKET, buckets * BUCKET
        if not self._is_sample and (size := self._positions.even_size(first, first + count)):
            return BucketSizes(np.full((BUCKET, 1), float(size)), np.zeros(buckets, np.int64))
        kinds = self._positions.kinds_of_stretches(first + np.arange(buckets) * BUCKET, BUCKET)
        return bucket_sizes(self._closed, kinds, self._passed)

    def _buckets(self, buckets: Ints) -> _Buckets:
        edges = buckets[:, None] * BUCKET + np.arange(BUCKET + 1)
        index = edges[:, :-1]
        raw = self._raw.take(np.minimum(index, len(self._raw) - 1)).astype(np.float64)
        finite = np.isfinite(raw) & (index < len(self._raw))
        starts = self._passed(edges.ravel()).reshape(edges.shape)
        sizes = starts[:, 1:] - starts[:, :-1]
        return _Buckets(np.where(finite, raw, 0.0), finite, np.where(finite, sizes, 0.0))

    # --- Single batches ---------------------------------------------------------------------------

    def raw(self, index: Ints) -> Floats:
        """The losses of these batches; NaN for gaps."""
        values = self._raw.take(index).astype(np.float64)
        return np.where(np.isfinite(values), values, np.nan)

    def smoothed(self, index: Ints, window: int) -> Floats:
        """The averages that include each of these batches; NaN for gaps."""
        return np.where(np.isfinite(self._raw.take(index)), self.carried(index, window), np.nan)

    def carried(self, index: Ints, window: int) -> Floats:
        """The average after each of these batches, across gaps; NaN before the first finite loss.

        The indices must be ascending and at least one.
        """
        newest = self._newest[window]
        if index[-1] >= newest.end:
            self._carry_on(newest, window)
        return newest.after(index) if index[0] >= newest.first else self._carried(index, window)

    def _carry_on(self, newest: RunningAverage, window: int) -> None:
        """Update the average to the last batch."""
        if len(self._raw) - newest.end > _MAX_NEWEST:
            self._close()
            newest.restart(self._closed * BUCKET, *self._smoothing.state(window))
        if newest.end == len(self._raw):
            return
        edges = np.arange(newest.end, len(self._raw) + 1)
        losses = self._raw.since(newest.end).astype(np.float64)
        finite = np.isfinite(losses)
        sizes = np.diff(self._passed(edges))
        newest.extend(np.where(finite, losses, 0.0), np.where(finite, sizes, 0.0))

    def _carried(self, index: Ints, window: int) -> Floats:
        """The averages after any batches, as in `carried`, from the buckets."""
        self._close()
        wanted = index // BUCKET
        is_new = np.ones(len(wanted), np.bool_)
        is_new[1:] = wanted[1:] != wanted[:-1]
        buckets = wanted[is_new]
        rows = self._buckets(buckets)
        after = self._smoothing.after(buckets, rows.losses, rows.sizes, window)
        carried: Floats = after[np.cumsum(is_new) - 1, index % BUCKET]
        return carried

    def carried_last(self, window: int) -> float:
        """The average after the last batch, which must exist."""
        return float(self.carried(np.array([len(self._raw) - 1]), window)[0])

    # --- Ranges -----------------------------------------------------------------------------------

    def low_high(self, start: Ints, stop: Ints) -> tuple[Floats, Floats]:
        """Lowest and highest loss of each range start…stop−1, which must not be empty."""
        if stop[-1] - start[0] <= _MOST_DIRECT and (start[1:] == stop[:-1]).all():
            losses = self._raw.since(int(start[0]), int(stop[-1]))
            return pyramid.lows_highs(losses, start - start[0])
        self._close()
        pieces = cover(start, stop)
        low = self._low.reduce(pieces, lambda index: pyramid.known(self.raw(index), np.inf))
        high = self._high.reduce(pieces, lambda index: pyramid.known(self.raw(index), -np.inf))
        return _without_empty(low, high)

    def quantiles(self, start: Ints, stop: Ints, shares: tuple[float, ...]) -> Floats:
        """These quantiles of each range start…stop−1, (shares, ranges): of a sample if it is long.

        NaN without a finite loss.
        """
        longest = int((stop - start).max()) if len(start) else 0
        pending = len(self._raw) - self._closed * BUCKET
        if longest > MOST and (len(start) > 1 or pending > longest // 8):
            self._close()  # not in every frame, for the one range that still grows
        return self._sampled.quantiles(start, stop, shares, self.raw)

    def beyond(self, start: int, stop: int, low: float, high: float) -> tuple[int, int]:
        """The numbers of losses of batches start…stop−1 below `low` and above `high`."""
        of = start, low, high
        done, below, above = self._beyond.pop(of, (-1, 0, 0))
        if done < 0 or stop < done:
            self._close()
            done = max(min(stop, self._closed * BUCKET), start)
            below, above = self._closed_beyond(start, done, low, high)
        new_below, new_above = self._all_beyond(done, stop, low, high)
        below, above = below + new_below, above + new_above
        self._beyond[of] = stop, below, above
        if len(self._beyond) > _MOST_COUNTS:
            del self._beyond[next(iter(self._beyond))]
        return below, above

    def _closed_beyond(self, start: int, stop: int, low: float, high: float) -> tuple[int, int]:
        """As `beyond`, of losses in closed buckets."""
        most = (stop - start) // (BUCKET * _SPARSE)
        below, above = self._low.beyond(low, most), self._high.beyond(high, most)
        if below is None or above is None:  # reading all losses is faster than choosing so many
            return self._all_beyond(start, stop, low, high)
        return (
            pyramid.counted_beyond(self._chosen(below, start, stop), low, is_below=True),
            pyramid.counted_beyond(self._chosen(above, start, stop), high, is_below=False),
        )

    def _chosen(self, buckets: Ints, start: int, stop: int) -> NDArray[np.float32]:
        """The losses start…stop−1 that are in these buckets."""
        index = (buckets[:, None] * BUCKET + np.arange(BUCKET)).ravel()
        return self._raw.take(index[(index >= start) & (index < stop)])

    def _all_beyond(self, start: int, stop: int, low: float, high: float) -> tuple[int, int]:
        return pyramid.all_beyond(self._raw.pieces(start, stop), low, high)

    def extremes(self) -> tuple[float, float] | None:
        """Lowest and highest of all losses; None if there is no finite loss."""
        new = self._raw.since(self._ranged)
        new = new[np.isfinite(new)]
        self._ranged = len(self._raw)
        if new.size:
            self._lowest = min(self._lowest, float(new.min()))
            self._highest = max(self._highest, float(new.max()))
        return (self._lowest, self._highest) if self._lowest <= self._highest else None

    def smoothed_low_high(self, start: Ints, stop: Ints, window: int) -> tuple[Floats, Floats]:
        """Lowest and highest of the averages after the batches of each range."""
        self._close()
        pieces = cover(start, stop)
        singles = {
            id(piece.index): self.smoothed(piece.index, window)
            for piece in pieces.pieces
            if not piece.level
        }
        column = 1 + window
        low = self._low.reduce(pieces, lambda at: pyramid.known(singles[id(at)], np.inf), column)
        high = self._high.reduce(pieces, lambda at: pyramid.known(singles[id(at)], -np.inf), column)
        return _without_empty(low, high)

    def mean(self, start: Ints, stop: Ints) -> Floats:
        """Plain mean of the finite losses of each range."""
        self._close()
        pieces = cover(start, stop)
        total = self._sum.reduce(pieces, lambda index: pyramid.known(self.raw(index), 0.0))
        count = self._count.reduce(
            pieces, lambda index: np.isfinite(self.raw(index)).astype(np.float64)
        )
        mean: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return mean


def _without_empty(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    empty = low > high
    low[empty] = high[empty] = np.nan
    return low, high
