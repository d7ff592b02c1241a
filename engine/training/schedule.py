"""Which samples make up which batch and which update: pure index arithmetic, no torch.

An epoch is a permutation of the n samples that depends on the seed and the epoch's number only. It
is cut into batches in order; `accumulation_steps` consecutive batches form the group behind one
update. A group never reaches over the end of an epoch: the last one may be short, in its last
batch, its number of batches, or both.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.settings import Resolved

_ORDER_STREAM: Final = 0x6F72646572  # "order": keeps these draws apart from every other use of the seed


def epoch_order(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    """The order of the n samples in one epoch (from 1): the same for every variant."""
    return np.random.default_rng([_ORDER_STREAM, seed, epoch]).permutation(n)


def epoch_seed(seed: int, epoch: int) -> int:
    """For what stochastic layers draw in one epoch. A hash: numpy's takes a tenth of a full-batch update."""
    digest = hashlib.blake2b(b"%d %d" % (seed, epoch), digest_size=4, person=b"stochastic")
    return int.from_bytes(digest.digest())


class Batch(msgspec.Struct, frozen=True):
    """One forward/backward, as positions in the epoch's order."""

    start: int
    stop: int
    """Samples start…stop−1 of the order."""
    group_samples: int
    """Samples behind the update that this batch contributes to: the batch weighs size ÷ this."""
    in_update: int
    """Batches of the same update before this one."""
    closes_group: bool
    """The optimiser steps after this batch."""

    @property
    def size(self) -> int:
        return self.stop - self.start


def epoch_end(start: int, n: int, settings: Resolved, *, drop_last: bool) -> int:
    """Where the epoch ends when its samples from position `start` on are cut by these settings."""
    if drop_last and not settings.is_full:
        return start + (n - start) // settings.batch_size * settings.batch_size
    return n


def cut(start: int, end: int, settings: Resolved) -> Iterator[Batch]:
    """The batches of an epoch's samples start…end−1, `start` being where a group begins."""
    size, steps = settings.batch_size, settings.accumulation_steps
    for group_start in range(start, end, size * steps):
        group_end = min(group_start + size * steps, end)
        for in_update, batch_start in enumerate(range(group_start, group_end, size)):
            stop = min(batch_start + size, group_end)
            yield Batch(
                start=batch_start,
                stop=stop,
                group_samples=group_end - group_start,
                in_update=in_update,
                closes_group=stop == group_end,
            )


def pieces(batch: Batch, most: int) -> Iterator[tuple[int, int]]:
    """A batch in pieces of at most so many samples: where each starts and stops."""
    for start in range(batch.start, batch.stop, most):
        yield start, min(start + most, batch.stop)
