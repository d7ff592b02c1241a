"""The place of a trainer in its training, counted as training goes on."""

from engine.settings import Resolved
from engine.training.schedule import NO_LIMIT
from engine.training.state.position import Position


class Placed:
    """A training that counts what it has done; the base of `Trainer`."""

    n: int
    resolved: Resolved

    def __init__(self) -> None:
        self.epoch = 0
        """The current epoch, from 1; 0 before the first batch."""
        self.batches = self.updates = self.samples = 0
        self.seconds = 0.0
        """Closed groups so far, and the seconds spent training: no pauses, pacing or measurements.
        """
        self.last_loss_is_finite = True
        self.micro_batch = NO_LIMIT
        """Largest number of samples in one forward pass; NO_LIMIT for whole batches."""
        self._position = self._stop = self._end = self._in_update = self._ordered_epoch = 0

    @property
    def most_at_once(self) -> int | None:
        """Largest number of samples in one forward pass; None means whole batches."""
        return None if self.micro_batch == NO_LIMIT else self.micro_batch

    @property
    def in_group(self) -> bool:
        """True if some, but not all, batches of the current update are done."""
        return self._in_update > 0

    @property
    def at_epoch_end(self) -> bool:
        """True if no batch of this epoch is left, and before the first epoch."""
        return self._position >= self._end

    @property
    def epochs_done(self) -> float:
        """Epochs done, including the fraction of the current one."""
        if self.at_epoch_end:
            return float(self.epoch)
        return self.epoch - 1 + self._position / self.n

    @property
    def position(self) -> Position:
        """The place in the training; between groups only."""
        if self.in_group:
            raise RuntimeError("a position lies between groups")
        return Position(
            epoch=self.epoch,
            batches=self.batches,
            updates=self.updates,
            samples=self.samples,
            seconds=self.seconds,
            in_epoch=self._position,
            is_ordered=self._ordered_epoch == self.epoch,
            has_epoch_ended=self.at_epoch_end,
        )

    def batches_for(self, updates: int) -> int:
        """Upper limit on the batches until this many more updates are done."""
        return updates * self.resolved.accumulation_steps - self._in_update
