"""Consecutive batches under the same settings, described as a whole: no batch of them costs memory.

A segment that has seen one whole epoch repeats it: short last batches and groups recur with it.
"""

from dataclasses import dataclass
from typing import Final

from engine.log.records import Chunk

ENDLESS: Final = 2**60
"""The period of a segment that has not seen a whole epoch."""


@dataclass(slots=True)
class SettingsSegment:
    """Batch k (from 0) of it is batch r of its epoch q: q, r = divmod(k, period)."""

    first: int
    samples: int
    updates: int
    in_update: int
    epoch: int
    batch_size: int
    steps: int
    lr: float
    whole: bool
    """Begins with its epoch."""
    period: int = ENDLESS
    """Batches an epoch; likewise samples and updates."""
    period_samples: int = 0
    period_updates: int = 0

    def row(self) -> list[int]:
        return [self.first, self.samples, self.updates, self.in_update, self.epoch, self.batch_size,
                self.steps, self.period, self.period_samples, self.period_updates]  # fmt: skip

    def has_settings_of(self, chunk: Chunk) -> bool:
        return (
            self.batch_size == chunk.batch_size
            and self.steps == chunk.accumulation_steps
            and self.lr == chunk.lr
        )

    def predicts(self, chunk: Chunk) -> bool:
        """Do all batches of this chunk stand where the segment says?"""
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

    def repeated_by(self, chunk: Chunk) -> "SettingsSegment | None":
        """The segment as one that repeats itself, if `chunk` begins the same epoch again."""
        if not self.whole or self.period != ENDLESS or chunk.epoch != self.epoch + 1:
            return None
        repeating = SettingsSegment(
            self.first, self.samples, self.updates, self.in_update, self.epoch, self.batch_size,
            self.steps, self.lr, self.whole,
            period=chunk.batch - 1 - self.first,
            period_samples=chunk.samples - self.samples,
            period_updates=chunk.update - 1 - self.updates,
        )  # fmt: skip
        return repeating if repeating.predicts(chunk) else None
