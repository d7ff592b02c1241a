"""The noise of the batch losses over the last epoch, σ, folded from chunks in bounded memory.

The same figure as the screen's: the standard deviation of (batch loss − smoothed loss before it)
over the batches that began within the last epoch of samples, of the last 131,072 at most. The
smoothed loss is a debiased exponential average with a time constant of a quarter of an epoch. A
loss that is not finite, or that has no weight, is left out.
"""

import math
from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.log.records import Chunk, Started

Floats = NDArray[np.float64]

_SMOOTHING: Final = 0.25
"""Time constant of the smoothed loss, in epochs."""
_MOST: Final = 131_072
"""Maximum number of batches that σ is taken over."""
_BLOCK: Final = 64.0
"""Time constants averaged at once; the powers of e in it stay far from overflow."""


class BatchNoise:
    """σ of one variant; begins anew with each generation."""

    def __init__(self) -> None:
        self._n = self._samples = self._kept = 0
        self._level = self._seen = 0.0
        """The average before it is debiased, and the samples in it."""
        self._parts: deque[tuple[Floats, Floats]] = deque()
        """Of each chunk: the samples before its batches, and their deviations."""

    def add(self, *records: Started | Chunk) -> None:
        """Add the next records of the variant's log."""
        for record in records:
            if isinstance(record, Started):
                self.__init__()  # type: ignore[misc]
                self._n = record.n
                continue
            for part in record.by_epoch():
                self._add(part)

    def _add(self, chunk: Chunk) -> None:
        losses = np.frombuffer(chunk.losses, "<f4").astype(np.float64)
        losses[list(chunk.weightless)] = math.nan
        if not len(losses):
            return
        sizes = np.full(len(losses), float(chunk.batch_size))
        sizes[-1] = chunk.last_batch_size
        starts = chunk.samples + np.arange(len(losses), dtype=np.float64) * chunk.batch_size
        rest = np.subtract(losses, self._averages_before(losses, sizes), dtype=np.float64)
        self._samples = chunk.end_samples
        self._parts.append((starts, rest))
        self._kept += len(rest)
        while len(self._parts) > 1 and self._is_past(*self._parts[0]):
            self._kept -= len(self._parts.popleft()[1])

    def _is_past(self, starts: Floats, rest: Floats) -> bool:
        """True if none of these batches can count any longer."""
        return starts[-1] < self._samples - self._n or self._kept - len(rest) >= _MOST

    def _averages_before(self, losses: Floats, sizes: Floats) -> Floats:
        """The smoothed loss before each batch; NaN before the first finite loss."""
        finite = np.isfinite(losses)
        shares = np.where(finite, sizes, 0.0) / (_SMOOTHING * self._n)
        step = max(1, int(_BLOCK / max(float(shares.max()), 1e-12)))
        before = np.empty(len(losses))
        for first in range(0, len(losses), step):
            block = slice(first, first + step)
            values = np.where(finite[block], losses[block], 0.0)
            before[block] = self._block_before(values, shares[block])
        return before

    def _block_before(self, losses: Floats, shares: Floats) -> Floats:
        passed = np.cumsum(shares)
        growth = np.exp(passed)
        levels = (self._level + np.cumsum(growth * -np.expm1(-shares) * losses)) / growth
        levels = np.concatenate(([self._level], levels))
        seen = self._seen + np.concatenate(([0.0], passed))
        self._level, self._seen = float(levels[-1]), float(seen[-1])
        with np.errstate(invalid="ignore"):
            averages: Floats = levels[:-1] / -np.expm1(-seen[:-1])
        return averages

    @property
    def sigma(self) -> float:
        """σ in units of the loss; NaN with less than two batches, as for the full batch."""
        if not self._parts:
            return math.nan
        starts, rest = (np.concatenate(each) for each in zip(*self._parts, strict=True))
        rest = rest[starts >= self._samples - self._n][-_MOST:]
        rest = rest[np.isfinite(rest)]
        return float(rest.std()) if rest.size >= 2 else math.nan
