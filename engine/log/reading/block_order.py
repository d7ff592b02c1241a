"""Checks the order of a whole block of losses at once, as `Sequence` checks single records.

Imports numpy: import it inside functions.
"""

from typing import Final, NamedTuple

import numpy as np

from engine.log.reading.loss_block import Ints, LossBlock
from engine.settings.ranges import MOST_COUNTED

_MOST_EXACT: Final = 2.0**61
"""Products above it might overflow; such a block is left to the check of single records."""
_ROUNDING: Final = 1e-6
"""Tolerance in seconds, as in `Sequence`."""
_Place = tuple[int, int, int, int]


class LogPosition(NamedTuple):
    """The numbers of the last batch in a log."""

    batch: int
    epoch: int
    update: int
    samples: int
    """After the batch."""
    seconds: float
    """Least seconds of the next chunk."""


def position_after(block: LossBlock, generation: int, before: LogPosition) -> LogPosition | None:
    """The position after the chunks; None if one of them may not follow `before`."""
    if not block.chunks:
        return before
    if not (_are_whole(block, generation) and _follow(block, before)):
        return None
    return LogPosition(
        int(block.batch[-1] + block.batches[-1]) - 1,
        int(block.epoch[-1]),
        int(block.last_update[-1]),
        int(block.end_samples[-1]),
        float(block.seconds[-1]),
    )


def _are_whole(block: LossBlock, generation: int) -> bool:
    """True if each chunk is valid by itself."""
    if block.sizes.min() < 4 or (block.sizes % 4).any() or (block.generation != generation).any():
        return False
    if (block.batches * block.batch_size.astype(np.float64)).max() > _MOST_EXACT:
        return False
    if max(block.end_samples.max(), block.last_update.max()) > MOST_COUNTED:
        return False
    updates = block.last_update - block.update + 1
    return bool(
        (block.last_batch_size <= block.batch_size).all()
        and (block.in_update < block.steps).all()
        and (np.maximum(block.clipped, block.skipped) <= updates).all()
        and _has_valid_lrs(block, updates)
    )


def _has_valid_lrs(block: LossBlock, updates: Ints) -> bool:
    """True if an lr of each update is given where they differ; the decoder checks single ones."""
    for place in np.flatnonzero(np.isnan(block.lr)).tolist():
        lr = block.chunks[place].lr
        if not isinstance(lr, bytes) or len(lr) != 8 * updates[place]:
            return False
        if not (np.frombuffer(lr, "<f8") >= 0).all():
            return False
    return True


def _follow(block: LossBlock, before: LogPosition) -> bool:
    """True if the chunks continue `before`, and one another."""
    ends = before.batch + np.cumsum(block.batches)
    seconds = block.seconds
    return bool(
        (block.batch == ends - block.batches + 1).all()
        and (block.update >= _shifted(before.update, block.last_update)).all()
        and (block.samples >= _shifted(before.samples, block.end_samples)).all()
        and (block.epoch >= _shifted(before.epoch, block.epoch)).all()
        and seconds[0] >= before.seconds
        and (seconds[1:] >= seconds[:-1] - _ROUNDING).all()
    )


def _shifted(first: int, values: Ints) -> Ints:
    """For each chunk, the value after the previous one."""
    return np.concatenate(([first], values[:-1]))


def evaluated_after(block: LossBlock, before: _Place) -> _Place | None:
    """Epoch, batches, updates and samples of the last evaluation; None if any lies before one."""
    table = np.concatenate((np.array(before, np.int64)[:, None], block.evaluated), axis=1)
    if (table[:, 1:] < table[:, :-1]).any():
        return None
    epoch, batches, updates, samples = table[:, -1].tolist()
    return epoch, batches, updates, samples
