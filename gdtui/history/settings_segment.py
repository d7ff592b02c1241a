"""Consecutive batches with the same settings, described as a whole: batches take no memory.

A segment that has covered a whole epoch repeats it, including short last batches and groups.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.log.reading.loss_block import LossBlock
from engine.log.records import Chunk
from gdtui.chart.scene.arrays import Floats, Ints

ENDLESS: Final = 2**60
"""The period of a segment that has not covered a whole epoch."""


@dataclass(frozen=True, slots=True)
class BatchPosition:
    """A batch's numbers and settings; counters from 1, samples and seconds before it."""

    update: int
    epoch: int
    samples: int
    seconds: float
    batch_size: int
    lr: float
    accumulation_steps: int


@dataclass(slots=True)
class SettingsSegment:
    """Batch k (from 0) of the segment is batch r of its epoch q, with q, r = divmod(k, period)."""

    first: int
    samples: int
    updates: int
    in_update: int
    epoch: int
    batch_size: int
    steps: int
    lr: float
    """Of all its batches, or of the first update."""
    whole: bool
    """True if the segment begins at the start of an epoch."""
    lr_start: int = -1
    """The place of its first lr if updates differ in it, otherwise −1."""
    period: int = ENDLESS
    """Batches per epoch; the next two fields are samples and updates per epoch."""
    period_samples: int = 0
    period_updates: int = 0

    @classmethod
    def beginning_with(cls, chunk: Chunk, *, is_whole: bool, lr_start: int) -> "SettingsSegment":
        """A segment that so far consists of this chunk; see the fields for the other arguments."""
        return cls(
            first=chunk.batch - 1,
            samples=chunk.samples,
            updates=chunk.update - 1,
            in_update=chunk.in_update,
            epoch=chunk.epoch,
            batch_size=chunk.batch_size,
            steps=chunk.accumulation_steps,
            lr=chunk.lrs[0],
            whole=is_whole,
            lr_start=lr_start,
        )

    def row(self) -> list[int]:
        return [self.first, self.samples, self.updates, self.in_update, self.epoch, self.batch_size,
                self.steps, self.period, self.period_samples, self.period_updates,
                self.lr_start]  # fmt: skip

    def has_settings_of(self, chunk: Chunk) -> bool:
        return (
            self.batch_size == chunk.batch_size
            and self.steps == chunk.accumulation_steps
            and (self.lr_start >= 0 or self.lr == chunk.lr)
        )

    def differs_in_lr_alone(self, chunk: Chunk) -> bool:
        """True where a schedule of the lr may have begun."""
        return (
            self.batch_size == chunk.batch_size
            and self.steps == chunk.accumulation_steps
            and self.lr != chunk.lr
        )

    def predicts(self, chunk: Chunk) -> bool:
        """True if all batches of this chunk are where the segment expects them."""
        epochs, index = divmod(chunk.batch - 1 - self.first, self.period)
        in_group = self.in_update + index
        return (
            chunk.epoch == self.epoch + epochs
            and chunk.samples
            == self.samples + epochs * self.period_samples + index * self.batch_size
            and chunk.update - 1
            == self.updates + epochs * self.period_updates + in_group // self.steps
            and chunk.in_update == in_group % self.steps
            and index + chunk.batches <= self.period
        )

    def predicted(self, block: LossBlock, start: int, stop: int, samples: int) -> int:
        """The number of these chunks, from the first, that `predicts` and `has_settings_of` expect.

        `samples`: the samples before the first of them; none may be missing between them.
        """
        if self.lr_start >= 0:
            return 0
        some = slice(start, stop)
        epochs, index = np.divmod(block.batch[some] - 1 - self.first, self.period)
        in_group, begin = self.in_update + index, block.samples[some]
        ends = np.concatenate(([samples], block.end_samples[some][:-1]))
        fits = (
            (block.batch_size[some] == self.batch_size)
            & (block.steps[some] == self.steps)
            & (block.lr[some] == self.lr)
            & (begin == ends)
            & (block.epoch[some] == self.epoch + epochs)
            & (begin == self.samples + epochs * self.period_samples + index * self.batch_size)
            & (
                block.update[some] - 1
                == self.updates + epochs * self.period_updates + in_group // self.steps
            )
            & (block.in_update[some] == in_group % self.steps)
            & (index + block.batches[some] <= self.period)
        )
        return len(fits) if fits.all() else int(fits.argmin())

    def repeats_as(self, chunk: Chunk) -> bool:
        """True if the several epochs of this chunk are like those of the segment."""
        return (
            self.period == chunk.epoch_batches
            and self.period_samples == chunk.epoch_samples
            and self.period_updates == chunk.epoch_updates
        )

    def repeated_by(self, chunk: Chunk) -> "SettingsSegment | None":
        """The segment as a repeating one, if `chunk` begins another epoch like the first."""
        if not self.whole or self.period != ENDLESS or chunk.epoch != self.epoch + 1:
            return None
        repeating = SettingsSegment(
            self.first, self.samples, self.updates, self.in_update, self.epoch, self.batch_size,
            self.steps, self.lr, self.whole, self.lr_start,
            period=chunk.batch - 1 - self.first,
            period_samples=chunk.samples - self.samples,
            period_updates=chunk.update - 1 - self.updates,
        )  # fmt: skip
        return repeating if repeating.predicts(chunk) and repeating._has_every_lr() else None

    def _has_every_lr(self) -> bool:
        """False where lrs are kept and an imported log leaves updates out, whose lrs it lacks."""
        done = -(-(self.in_update + self.period) // self.steps)
        return self.lr_start < 0 or self.period_updates == done


@dataclass(frozen=True, slots=True)
class SettingsInForce:
    """The logged settings of stretches of batches, a row each, shape (stretches,)."""

    begins: Floats
    """Position of the first batch of a stretch, on the axis asked for."""
    samples: Ints
    """Samples before that batch."""
    batch_sizes: Ints
    steps: Ints
    """Batches an update."""
    lrs: Floats
