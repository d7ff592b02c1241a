"""The epoch in progress: the sum of its batch losses, from chunks of part of an epoch."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.log.records import Origin


@dataclass(slots=True)
class OpenEpoch:
    """Batch losses that no mean of a whole epoch holds yet."""

    number: int = 0
    """The epoch of the newest batch; 0 before the first."""
    _total: float = 0.0
    _batches: int = 0
    _weightless: int = 0

    @classmethod
    def after(cls, origin: Origin) -> "OpenEpoch":
        """The epoch in progress where a generation begins after a point of another one."""
        batches = origin.epoch_batches
        return cls(origin.epoch, batches * origin.epoch_loss if batches else 0.0, batches)

    def add(self, losses: NDArray[np.float32], weightless: int) -> None:
        """Add batches; `weightless` of them have no targets that count, and a loss of 0."""
        self._total += float(losses.sum(dtype=np.float64))
        self._batches += len(losses)
        self._weightless += weightless

    def close(self) -> NDArray[np.float64]:
        """The mean loss of the epoch, shape (1,), NaN without weight; (0,) if it has no batch."""
        if not self._batches:
            return np.empty(0)
        weighed = self._batches - self._weightless
        mean = self._total / weighed if weighed else math.nan
        self._total, self._batches, self._weightless = 0.0, 0, 0
        return np.array([mean])
