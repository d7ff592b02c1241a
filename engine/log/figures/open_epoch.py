"""The mean losses of epochs, from chunks of parts of them and from whole ones."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.log.figures.epoch_losses import EpochLosses
from engine.log.reading.loss_block import LossBlock, loss_sum
from engine.log.records import Chunk, Origin


@dataclass(slots=True)
class OpenEpoch:
    """The epoch in progress: batch losses that no mean of a whole epoch holds yet."""

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

    def add(self, total: float, batches: int, weightless: int = 0) -> None:
        """Add batches by the sum of their losses.

        `weightless` of them have no targets that count, and a loss of 0.
        """
        self._total += total
        self._batches += batches
        self._weightless += weightless

    def close(self) -> list[float]:
        """The mean loss of the epoch, NaN without weight; empty if it has no batch."""
        if not self._batches:
            return []
        mean = _mean(self._total, self._batches - self._weightless)
        self._total, self._batches, self._weightless = 0.0, 0, 0
        return [mean]

    def add_block(self, block: LossBlock, *, ends_unevaluated: bool) -> tuple[list[float], int]:
        """Add chunks and evaluations; returns the means of the epochs that end in the block.

        Also the last epoch that a later batch has ended, or 0. `ends_unevaluated`: batches may end
        epochs before the first evaluation of the block.
        """
        chunks = zip(block.epoch.tolist(), block.sums.tolist(), block.batches.tolist(), strict=True)
        means, last = list[float](), 0
        number, total, batches, weightless = (
            self.number,
            self._total,
            self._batches,
            self._weightless,
        )
        for record in block.records:  # every record of a long past goes through this loop
            if type(record) is Chunk:
                epoch, losses, count = next(chunks)
                is_end = epoch > number and ends_unevaluated
                last, number = number if is_end else last, epoch
            else:
                is_end = ends_unevaluated = True
                losses, count = 0.0, 0
            if is_end and batches:
                means.append(_mean(total, batches - weightless))
                total, batches, weightless = 0.0, 0, 0
            total += losses
            batches += count
        self.number, self._total, self._batches, self._weightless = (
            number,
            total,
            batches,
            weightless,
        )
        return means, last


def _mean(total: float, weighed: int) -> float:
    return total / weighed if weighed else math.nan


@dataclass(slots=True)
class TrainedEpochs:
    """The epochs of one generation so far. An evaluation ends an epoch.

    After the first evaluation, or an origin, a batch of a later epoch ends one without evaluation.
    """

    losses: EpochLosses = field(default_factory=EpochLosses)
    """Unweighted mean of the batch losses of each whole epoch, without weightless batches."""
    ended: int = 0
    """The last epoch that is known to be complete."""
    _open: OpenEpoch = field(default_factory=OpenEpoch)
    _ends_unevaluated: bool = False

    @classmethod
    def after(cls, origin: Origin) -> "TrainedEpochs":
        """The epochs where a generation begins after a point of another one."""
        losses, now = EpochLosses.after(origin), OpenEpoch.after(origin)
        return cls(losses, origin.whole_epochs, now, _ends_unevaluated=True)

    def add(self, chunk: Chunk, losses: NDArray[np.float32]) -> None:
        """Add the losses of the next chunk."""
        if self._ends_unevaluated and chunk.epoch > self._open.number:
            self._close(self._open.number)
        self._open.number = chunk.last_epoch
        if chunk.epochs == 1:
            self._open.add(loss_sum(losses), len(losses), len(chunk.weightless))
            return
        with np.errstate(invalid="ignore"):  # infinities of either sign
            self.losses.add(losses.reshape(chunk.epochs, -1).mean(axis=1, dtype=np.float64))
        self.ended = chunk.last_epoch

    def evaluate(self, number: int) -> None:
        """End an epoch by its number, which is 0 before the first batch."""
        self._close(number)
        self._ends_unevaluated = True

    def _close(self, number: int) -> None:
        if mean := self._open.close():
            self.losses.add(np.array(mean))
        self.ended = max(self.ended, number)

    def add_block(self, block: LossBlock) -> None:
        """Add chunks and evaluations, in their order."""
        means, last = self._open.add_block(block, ends_unevaluated=self._ends_unevaluated)
        self.ended = max(self.ended, last)
        if block.evaluations:
            self._ends_unevaluated = True
            self.ended = max(self.ended, int(block.evaluated[0].max()))
        if means:
            self.losses.add(np.array(means))
