"""The smoothed loss: an exponential moving average with one time constant in samples, debiased.

With τ = window × n samples, a batch of s samples has α = 1 − exp(−s ÷ τ), and the average is
divided by 1 − exp(−samples so far ÷ τ). Losses that are not finite are left out. The average is
stored for every window of the ladder at the end of each bucket of batches, and recomputed within.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.history.storage.bucket_sizes import BucketSizes
from gdtui.history.storage.long_array import LongArray
from gdtui.history.storage.pyramid import BUCKET

SMOOTHING_LADDER: Final = (0.25, 1.0, 4.0)
"""The available time constants, in epochs."""

_YOUNG: Final = 1e-3
"""Number of time constants t up to which 1 − exp(−t) would lose digits."""
_SETTLED: Final = 40.0
"""Number of time constants after which 1 − exp(−t) rounds to 1."""


_LAG: Final = 1 / 256
"""Share of a training by which an average of a sample may lag more: about a column."""
_MOST_A_BATCH: Final = 4.0
"""Time constants that a batch can stand for; the largest batch, of an epoch, is as long."""


@dataclass(frozen=True, slots=True)
class Thinning:
    """A sample of the batches of a training, in which each batch stands for those left out."""

    share: float
    """The share of the samples that the batches have."""
    samples: int
    """The samples of all batches."""

    def time_constant(self, tau: float) -> float:
        """The time constant for averages as smooth as those of all batches with `tau`.

        They lag more, within limits.
        """
        return max(tau, min(tau / self.share, _LAG * self.samples))


def time_constants(n: int, thinning: Thinning | None = None) -> tuple[float, ...]:
    """The time constant for each window, in samples."""
    taus = tuple(window * n for window in SMOOTHING_LADDER)
    return taus if thinning is None else tuple(map(thinning.time_constant, taus))


def most_a_batch(taus: Sequence[float]) -> float:
    """The most samples that a batch of a sample can stand for."""
    return _MOST_A_BATCH * min(taus)


class Smoothing:
    """The averages for all windows at the end of each complete bucket."""

    def __init__(self, taus: Sequence[float]) -> None:
        """`taus`: a time constant in samples for each window."""
        self.taus = tuple(taus)
        self._levels = LongArray("f4", len(SMOOTHING_LADDER))
        self._seen = LongArray("f8")
        """Number of samples with a finite loss."""
        self._running = [0.0] * len(SMOOTHING_LADDER)
        self._total = 0.0

    @property
    def nbytes(self) -> int:
        return self._levels.nbytes + self._seen.nbytes

    def append(self, losses: Floats, sizes: BucketSizes) -> list[Floats]:
        """Add complete buckets, (32, buckets); loss and size of a gap are 0.

        Returns the average after every batch, for each window.
        """
        totals = sizes.patterns.sum(axis=0)[sizes.of_bucket]
        after = self._total + np.cumsum(totals)
        levels = np.empty((losses.shape[1], len(self.taus)))
        averages = []
        for window in range(len(self.taus)):
            average = self._averages(losses, sizes, window, after - totals)
            levels[:, window] = average[-1]
            averages.append(average)
        self._total = float(after[-1])
        self._levels.append(np.nan_to_num(levels))
        self._seen.append(after)
        return averages

    def _averages(self, losses: Floats, sizes: BucketSizes, window: int, seen: Floats) -> Floats:
        """The average after every batch; `seen`: samples before each bucket."""
        tau, of_bucket = self.taus[window], sizes.of_bucket
        share = sizes.patterns / tau
        growth = np.exp(np.cumsum(share, axis=0))
        weight, decay = growth * -np.expm1(-share), 1 / growth
        factors = growth[-1][of_bucket]
        if growth.shape[1] > 1:
            weight, decay = weight[:, of_bucket], decay[:, of_bucket]
        average = weight * losses
        for before, row in pairwise(average):  # np.cumsum takes seven times as long
            row += before
        average += self._chain(factors, average[-1], window)
        average *= decay
        if seen[0] < _YOUNG * tau:
            passed = np.cumsum(sizes.patterns, axis=0)[:, of_bucket]
            with np.errstate(invalid="ignore"):
                average /= -np.expm1(-(seen + passed) / tau)
        elif seen[0] <= _SETTLED * tau:
            average /= 1 - np.exp(-seen / tau) * decay
        return average

    def state(self, window: int) -> tuple[float, float]:
        """The average after all complete buckets, before debiasing, and its number of samples."""
        return self._running[window], self._total

    def after(self, buckets: Ints, losses: Floats, sizes: Floats, window: int) -> Floats:
        """The average after each batch of these buckets, (buckets, 32); the last may be partial."""
        tau = self.taus[window]
        before = np.maximum(buckets - 1, 0)
        level, seen = np.zeros(len(buckets)), np.zeros(len(buckets))
        if len(self._seen):
            level = np.where(buckets > 0, self._levels.take(before)[:, window], 0.0)
            seen = np.where(buckets > 0, self._seen.take(before), 0.0)
        growth, gained = _within(losses, sizes, tau)
        return _finish(level * -np.expm1(-seen / tau), growth, gained, seen, sizes, tau, tau)

    def _chain(self, growth: Floats, gained: Floats, window: int) -> Floats:
        """The average before each bucket, not yet debiased."""
        running = self._running[window]
        starts = [running]
        starts += [
            running := (running + gain) / factor
            for factor, gain in zip(growth.tolist(), gained.tolist(), strict=True)
        ]
        self._running[window] = starts.pop()
        return np.array(starts)


def _within(losses: Floats, sizes: Floats, tau: Floats | float) -> tuple[Floats, Floats]:
    """The growth and gain after each batch of a bucket.

    average = (average before the bucket + gained) ÷ growth. Growth is at most exp(32 × 4), since a
    batch is at most an epoch, and τ at least a quarter of an epoch.
    """
    share = sizes / tau
    growth = np.exp(np.cumsum(share, axis=-1))
    gained = np.cumsum(growth * -np.expm1(-share) * losses, axis=-1)
    return growth, gained


def _finish(
    starts: Floats,
    growth: Floats,
    gained: Floats,
    seen: Floats,
    sizes: Floats,
    tau: Floats | float,
    longest: float,
) -> Floats:
    """The debiased averages; `longest` is the largest τ."""
    average: NDArray[Any] = (starts[..., None] + gained) / growth
    if seen[0] > _SETTLED * longest:
        return average
    with np.errstate(invalid="ignore"):
        return average / -np.expm1(-(seen[:, None] + np.cumsum(sizes, axis=1)) / tau)


assert BUCKET * 1.0 / SMOOTHING_LADDER[0] < 600, "exp() would overflow within a bucket"
