"""The smoothed loss after the newest batches, carried on from one to the next.

A chart asks for these in every frame: going on from the last average takes less than half the time
of looking at whole buckets. Owns no losses; where it can start from, others know.
"""

from itertools import accumulate
from typing import Final

import numpy as np

from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.history.storage.growing_array import GrowingArray

_KEPT: Final = 4_096
"""Averages that are kept, at least: of more batches than a common epoch has."""


class RunningAverage:
    """The averages of one window; see gdtui/history/smoothing.py for what they are."""

    def __init__(self, tau: float) -> None:
        """`tau`: samples, the time constant."""
        self._tau = tau
        self._level, self._seen = 0.0, 0.0
        """The average before it is debiased, and the samples that are in it."""
        self.end = 0
        """Batches that the average has gone over."""
        self._averages = GrowingArray("f8")
        """The average after the last batch of each."""

    @property
    def nbytes(self) -> int:
        return self._averages.nbytes

    @property
    def first(self) -> int:
        """The first of the batches whose averages are still known; the last one is `end` − 1."""
        return self.end - len(self._averages)

    def restart(self, batches: int, level: float, seen: float) -> None:
        """Go on after so many batches; `level`: their biased average, of `seen` samples."""
        self._level, self._seen = level, seen
        self.end = batches
        self._averages = GrowingArray("f8")

    def extend(self, losses: Floats, sizes: Floats) -> None:
        """Take in the next batches, at least one; both are 0 where a loss is not finite."""
        shares = (-np.expm1(-sizes / self._tau)).tolist()
        levels = list(
            accumulate(zip(shares, losses.tolist(), strict=True), _next, initial=self._level)
        )
        seen = self._seen + np.cumsum(sizes)
        with np.errstate(invalid="ignore"):
            self._averages.append(np.array(levels[1:]) / -np.expm1(-seen / self._tau))
        if len(self._averages) > 2 * _KEPT:
            self._averages.replace(self._averages.values[-_KEPT:].copy())
        self.end += len(losses)
        self._level, self._seen = levels[-1], float(seen[-1])

    def after(self, index: Ints) -> Floats:
        """The averages after these batches, of those that are known.

        NaN before the first finite loss.
        """
        averages: Floats = self._averages.values[index - self.first]
        return averages


def _next(level: float, batch: tuple[float, float]) -> float:
    share, loss = batch
    return level + share * (loss - level)
