"""Points of a training at which another generation can begin: rewinds and forks."""

import msgspec

from engine.settings.ranges import Count, Ordinal, Seconds, VariantName


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A point to which a user goes back, perhaps within a group of batches."""

    variant: VariantName = ""
    """The variant that was trained; "" for the one that goes back."""
    generation: Count = 0
    """The number of its generation; 0 for the latest one."""
    batches: Count
    """Batches done; 0 for the initial weights."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The group boundary of another generation after which a generation begins.

    The counters are those of that generation at this point, and the new generation goes on from
    them: its first batch is number `batches` + 1.
    """

    variant: VariantName = ""
    """The variant of the run that was forked; "" for a rewind of the log's own variant."""
    generation: Ordinal
    batches: Ordinal
    epoch: Ordinal
    updates: Ordinal
    samples: Ordinal
    seconds: Seconds
    epoch_batches: Count = 0
    """Batches of its epoch done before it, without weightless ones; 0 at the end of the epoch."""
    epoch_loss: float = 0.0
    """The mean loss of these batches."""
    loss_at_start: float | None = None
    """The loss on the training data before the first batch; None if it is not known."""

    @property
    def whole_epochs(self) -> int:
        """The number of epochs that had ended."""
        return self.epoch - bool(self.epoch_batches)
