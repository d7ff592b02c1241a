"""The smoothed loss after the newest batches, updated from one batch to the next.

A chart requests these in every frame: continuing from the last average takes less than half the
time of processing whole buckets. Owns no losses; the caller supplies the starting point.
"""

from itertools import accumulate
from typing import Final

import numpy as np

from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.history.storage.growing_array import GrowingArray

_KEPT: Final = 4_096
"""Fewest averages kept: more than the batches of a typical epoch."""


class RunningAverage:
    """The averages of one window, as defined in gdtui/history/smoothing.py."""

    def __init__(self, tau: float) -> None:
        """`tau` is the time constant in samples."""
        self._tau = tau
        self._level, self._seen = 0.0, 0.0
        """The average before debiasing, and its number of samples."""
        self.end = 0
        """Number of batches in the average."""
        self._averages = GrowingArray("f8")
        """The averages after each of the last batches."""

    @property
    def nbytes(self) -> int:
        return self._averages.nbytes

    @property
    def first(self) -> int:
        """The first batch whose average is still known; the last is `end` − 1."""
        return self.end - len(self._averages)

    def restart(self, batches: int, level: float, seen: float) -> None:
        """Continue after this many batches, whose biased average of `seen` samples is `level`."""
        self._level, self._seen = level, seen
        self.end = batches
        self._averages = GrowingArray("f8")

    def extend(self, losses: Floats, sizes: Floats) -> None:
        """Add the next batches, at least one; loss and size are 0 if a loss is not finite."""
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
        """The averages after these batches, which must still be known.

        NaN before the first finite loss.
        """
        averages: Floats = self._averages.values[index - self.first]
        return averages


def _next(level: float, batch: tuple[float, float]) -> float:
    share, loss = batch
    return level + share * (loss - level)
