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

    def append(self, losses: Floats, sizes: BucketSizes) -> Floats:
        """Add complete buckets, (32, buckets); loss and size of a gap are 0.

        Returns the average after every batch, (32, windows, buckets).
        """
        totals = sizes.patterns.sum(axis=0)[sizes.of_bucket]
        after = self._total + np.cumsum(totals)
        averages = self._averages(losses, sizes, after - totals)
        levels = averages[-1].T
        self._total = float(after[-1])
        self._levels.append(levels if np.isfinite(levels).all() else np.nan_to_num(levels))
        self._seen.append(after)
        return averages

    def _averages(self, losses: Floats, sizes: BucketSizes, seen: Floats) -> Floats:
        """The average after every batch; `seen`: samples before each bucket.

        All windows at once: for a frame's few buckets, the calls take most of the time.
        """
        of_bucket = sizes.of_bucket
        share = sizes.patterns[:, None] / np.array(self.taus)[:, None]
        growth = np.exp(np.cumsum(share, axis=0))
        weight, decay = growth * -np.expm1(-share), 1 / growth
        factors = growth[-1]
        if growth.shape[-1] > 1:
            factors, weight, decay = (each[..., of_bucket] for each in (factors, weight, decay))
        average: Floats = np.repeat(losses[:, None], len(self.taus), axis=1)
        average *= weight
        for before, row in pairwise(average):  # np.cumsum takes seven times as long
            row += before
        average += self._chain(factors, average[-1])
        average *= decay
        for window, tau in enumerate(self.taus):
            if seen[0] <= _SETTLED * tau:
                self._debias(average[:, window], sizes, seen, decay[:, window], tau)
        return average

    @staticmethod
    def _debias(
        average: Floats, sizes: BucketSizes, seen: Floats, decay: Floats, tau: float
    ) -> None:
        """Divide the averages of a window by the weight of all losses in them."""
        if seen[0] < _YOUNG * tau:
            passed = np.cumsum(sizes.patterns, axis=0)[:, sizes.of_bucket]
            with np.errstate(invalid="ignore"):
                average /= -np.expm1(-(seen + passed) / tau)
        else:
            average /= 1 - np.exp(-seen / tau) * decay

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

    def _chain(self, growth: Floats, gained: Floats) -> Floats:
        """The averages before each bucket, (windows, buckets), not yet debiased."""
        starts = []
        for window, gains in enumerate(gained.tolist()):
            running = self._running[window]
            if growth.shape[1] == 1:
                factor = float(growth[window, 0])
                ends = [running := (running + gain) / factor for gain in gains]
            else:
                pairs = zip(growth[window].tolist(), gains, strict=True)
                ends = [running := (running + gain) / factor for factor, gain in pairs]
            starts.append([self._running[window], *ends[:-1]])
            self._running[window] = running
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
