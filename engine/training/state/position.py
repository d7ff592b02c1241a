"""The position of a training at a group boundary."""

import msgspec

from engine.settings.ranges import Count, Seconds


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Counters at a group boundary, and the position in the epoch's order."""

    epoch: Count
    """The current epoch, from 1; 0 before the first batch."""
    batches: Count
    updates: Count
    samples: Count
    seconds: Seconds
    """Training time so far."""
    in_epoch: Count
    """Samples of the epoch's order that are done."""
    is_ordered: bool
    """True if the epoch's samples are in its random order, not in stored order."""
    has_epoch_ended: bool
    """True if no batch of the epoch is left, and before the first epoch."""
