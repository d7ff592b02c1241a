"""The mean losses of whole epochs: all of them up to a limit, then evenly spaced ones."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.log.records import Origin

MOST_KEPT: Final = 65_536
"""Maximum number of losses kept. Beyond it, every second one is dropped, as often as necessary."""


class EpochLosses:
    """Count, last value and variance of all epoch losses, and a bounded number of the losses.

    The losses of the first epoch and of every `stride`-th after it are kept. The variance covers
    all epochs.
    """

    def __init__(self, most: int = MOST_KEPT, before: int = 0) -> None:
        """`most` is the maximum number of losses kept, a power of two.

        `before`: whole epochs before the first one here, with losses that are not known here.
        """
        self._most = most
        self._before = before
        self._kept = np.empty(64)
        self._size = 0
        self._count = 0
        self.stride = 1
        """Distance in epochs between kept losses; 1 while all are kept."""
        self.last = math.nan
        """The last epoch's loss; NaN before there is one."""
        self._mean = self._squares = 0.0

    @classmethod
    def after(cls, origin: Origin) -> "EpochLosses":
        """No losses yet, where a generation begins after a point of another one."""
        return cls(before=origin.whole_epochs)

    def __len__(self) -> int:
        """The number of whole epochs, whether their losses are kept or not."""
        return self._before + self._count

    @property
    def is_complete(self) -> bool:
        """True while the losses of all epochs are kept."""
        return self.stride == 1

    def add(self, losses: NDArray[np.float64]) -> None:
        """Add the mean losses of the next epochs."""
        self._spread(losses)
        offset = -self._count % self.stride
        self._count += len(losses)
        self.last = float(losses[-1])
        self._keep(losses[offset :: self.stride])

    def _keep(self, losses: NDArray[np.float64]) -> None:
        while (needed := self._size + len(losses)) > self._most:
            # Keep what the doubled stride would have kept of the old losses and the new ones.
            both = np.concatenate((self._kept[: self._size], losses))[::2]
            self.stride *= 2
            self._size, losses = 0, both
        if needed > len(self._kept):
            grown = np.empty(min(max(2 * len(self._kept), needed), self._most))
            grown[: self._size] = self._kept[: self._size]
            self._kept = grown
        self._kept[self._size : needed] = losses
        self._size = needed

    def _spread(self, losses: NDArray[np.float64]) -> None:
        """Chan, Golub and LeVeque 1979, "Updating Formulae and a Pairwise Algorithm", eq. 2.1."""
        with np.errstate(invalid="ignore"):
            mean, squares = float(losses[0]), 0.0
            if len(losses) > 1 or not math.isfinite(mean):
                mean, squares = float(losses.mean()), float(losses.var()) * len(losses)
            total, step = self._count + len(losses), mean - self._mean
            self._mean += step * len(losses) / total
            self._squares += squares + step * step * self._count * len(losses) / total

    @property
    def epochs(self) -> NDArray[np.int64]:
        """The numbers of the epochs in `losses`, counted from the initial weights."""
        numbers = self._before + 1 + self.stride * np.arange(self._size)
        is_last_apart = self._size and numbers[-1] != len(self)
        return np.append(numbers, len(self)) if is_last_apart else numbers

    @property
    def losses(self) -> NDArray[np.float64]:
        """The kept losses, for the epochs in `epochs`; always includes the first and the last."""
        kept = self._kept[: self._size]
        return np.append(kept, self.last) if len(self.epochs) > self._size else kept.copy()

    @property
    def variance(self) -> float:
        """Population variance (ddof 0) of the losses of all epochs.

        NaN if there are no epochs or a loss is not finite.
        """
        if not self._count or not math.isfinite(self._squares):
            return math.nan
        if self.is_complete:
            return float(np.var(self._kept[: self._size]))
        return self._squares / self._count
