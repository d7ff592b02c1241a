"""How far a training has got in the log of a program."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.log.records import Origin, Started
from engine.programs.readings import Reading


@dataclass(slots=True)
class GenerationCounters:
    """The counters of a generation, after what has been written of it."""

    generation: int = 0
    started: Started | None = None
    """The record with which it began."""
    began: float = 0.0
    """The time of its first reading, on the caller's clock."""
    seconds: float = 0.0
    """Seconds of training."""
    batches: int = 0
    step: int = 0
    epoch: int = 1
    epochs: int = 0
    """Epochs in all, as far as they are known."""
    knows_epochs: bool = False
    """True if the program prints its epochs, or counts the steps of each epoch."""
    epoch_batches: int = 0
    """Batches of the epoch that has not ended."""
    epoch_total: float = 0.0
    """The sum of their losses."""

    @classmethod
    def of(cls, started: Started, first: Reading, now: float) -> "GenerationCounters":
        """The counters at the beginning of a generation."""
        return cls(
            generation=started.generation,
            started=started,
            began=now,
            epoch=first.place.epoch or 1,
            epochs=started.epochs,
            knows_epochs=first.place.epoch is not None,
        )

    def add(self, readings: Sequence[Reading], seconds: float) -> None:
        """Count readings of one epoch, which were written."""
        self.batches += len(readings)
        self.step, self.seconds = readings[-1].place.step, seconds
        self.epoch_batches += len(readings)
        self.epoch_total += sum(reading.loss for reading in readings)

    def end_epoch(self) -> None:
        """Take note that the epoch has ended."""
        self.epoch_batches, self.epoch_total = 0, 0.0

    def continued(self, generation: int) -> "GenerationCounters":
        """The same training, to go on under another number."""
        return replace(self, generation=generation)

    @property
    def origin(self) -> Origin:
        """This point, as that after which another generation begins."""
        mean = self.epoch_total / self.epoch_batches if self.epoch_batches else 0.0
        return Origin(
            generation=self.generation,
            batches=self.batches,
            epoch=self.epoch,
            updates=self.step,
            samples=self.step,
            seconds=self.seconds,
            epoch_batches=self.epoch_batches,
            epoch_loss=mean if math.isfinite(mean) else 0.0,
        )
