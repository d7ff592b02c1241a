"""The smoothed loss: an exponential moving average with one time constant in samples, debiased.

With τ = window × n samples, a batch of s samples has α = 1 − exp(−s ÷ τ), and the average is
divided by 1 − exp(−samples so far ÷ τ). Losses that are not finite are left out. The average is
stored for every window of the ladder at the end of each bucket of batches, and recomputed within.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.history.storage.long_array import LongArray
from gdtui.history.storage.pyramid import BUCKET

SMOOTHING_LADDER: Final = (0.25, 1.0, 4.0)
"""The available time constants, in epochs."""

_SETTLED: Final = 40.0
"""Number of time constants after which 1 − exp(−t) rounds to 1."""


class Smoothing:
    """The averages for all windows at the end of each complete bucket."""

    def __init__(self, n: int) -> None:
        self.taus = tuple(window * n for window in SMOOTHING_LADDER)
        self._levels = LongArray("f4", len(SMOOTHING_LADDER))
        self._seen = LongArray("f8")
        """Number of samples with a finite loss."""
        self._running = [0.0] * len(SMOOTHING_LADDER)
        self._total = 0.0

    @property
    def nbytes(self) -> int:
        return self._levels.nbytes + self._seen.nbytes

    def append(self, losses: Floats, sizes: Floats) -> Floats:
        """Add complete buckets, (buckets, 32); the size of a batch without a finite loss is 0.

        Returns the average after every batch, (windows, buckets, 32).
        """
        totals = sizes.sum(axis=1)
        seen = self._total + np.cumsum(totals) - totals
        taus = np.array(self.taus)[:, None, None]
        growth, gained = _within(losses, sizes, taus)
        starts = self._chain(growth[..., -1], gained[..., -1])
        result = _finish(starts, growth, gained, seen, sizes, taus, max(self.taus))
        self._total = float(seen[-1] + totals[-1])
        self._levels.append(np.nan_to_num(result[:, :, -1].T))
        self._seen.append(seen + totals)
        return result

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
        """The averages before each bucket, not yet debiased, (windows, buckets)."""
        starts = []
        for window, steps in enumerate(zip(growth.tolist(), gained.tolist(), strict=True)):
            running = self._running[window]
            for factor, gain in zip(*steps, strict=True):
                starts.append(running)
                running = (running + gain) / factor
            self._running[window] = running
        return np.array(starts).reshape(growth.shape)


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
