"""Epochs cut into updates, batches and micro-batches: pure index arithmetic, no torch.

An *epoch* is a permutation of the n samples that depends only on the seed and the epoch's number.
It is cut into *batches* in order, each of which is recorded as one loss; `accumulation_steps`
consecutive batches form the *group* behind one update. A group never crosses the end of an epoch:
the last one may be short, in its last batch, its number of batches, or both. A batch too large for
the device is computed in several *micro-batches*, which are not recorded individually.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.settings import Resolved

NO_LIMIT: Final = 1 << 62
"""The micro-batch size if the device can take any batch at once."""

_ORDER_STREAM: Final = (
    0x6F72646572  # "order": keeps these draws apart from every other use of the seed
)


def epoch_order(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    """The order of the n samples in one epoch (from 1): the same for every variant."""
    return np.random.default_rng([_ORDER_STREAM, seed, epoch]).permutation(n)


def epoch_seed(seed: int, epoch: int) -> int:
    """The seed for the random draws of stochastic layers in one epoch.

    A hash, since numpy's own way to mix two numbers takes a tenth of a full-batch update.
    """
    digest = hashlib.blake2b(b"%d %d" % (seed, epoch), digest_size=4, person=b"stochastic")
    return int.from_bytes(digest.digest())


class MicroBatch(msgspec.Struct, frozen=True, gc=False):
    """One forward and backward pass, as positions in the epoch's order."""

    start: int
    stop: int
    """Samples start…stop−1 of the order."""
    weight: float
    """Share of the update's mean gradient: size ÷ samples of the group; 1 in a sum."""
    batch_share: float
    """Share of the batch's mean loss: size ÷ samples of the batch; 1 in a sum."""


class Batch(msgspec.Struct, frozen=True, gc=False):
    """One recorded loss, as positions in the epoch's order."""

    start: int
    stop: int
    """Samples start…stop−1 of the order."""
    group_samples: int
    """Samples behind the update that this batch contributes to."""
    in_update: int
    """Number of batches in the same update before this one."""
    closes_group: bool
    """The optimiser steps after this batch."""
    micro_batch: int
    """Largest number of samples in one forward pass."""
    adds: bool = False
    """True if losses are sums, not means: pieces are added without shares."""

    @property
    def size(self) -> int:
        return self.stop - self.start

    @property
    def micro_batches(self) -> Iterable[MicroBatch]:
        """The passes that make up this batch, in order."""
        size = self.stop - self.start
        if size <= self.micro_batch:  # nearly always: the cheap path
            share = 1.0 if self.adds else size / self.group_samples
            return (MicroBatch(self.start, self.stop, share, 1.0),)
        return self._pieces(size)

    def _pieces(self, size: int) -> Iterator[MicroBatch]:
        for start in range(self.start, self.stop, self.micro_batch):
            stop = min(start + self.micro_batch, self.stop)
            if self.adds:
                yield MicroBatch(start, stop, 1.0, 1.0)
            else:
                piece = stop - start
                yield MicroBatch(start, stop, piece / self.group_samples, piece / size)


def epoch_end(start: int, n: int, settings: Resolved, *, drop_last: bool) -> int:
    """Position at which the epoch ends if its samples from `start` on are cut by these settings."""
    if drop_last and not settings.is_full:
        return start + (n - start) // settings.batch_size * settings.batch_size
    return n


def updates_of_epoch(n: int, settings: Resolved, *, drop_last: bool) -> int:
    """The number of updates in an epoch of n samples."""
    group = settings.batch_size * settings.accumulation_steps
    return -(-epoch_end(0, n, settings, drop_last=drop_last) // group)


def stage_end(start: int, end: int, settings: Resolved, limit: float) -> int:
    """The end of the group at which `limit` samples of the epoch are reached, at most `end`."""
    if limit >= end:
        return end
    group = settings.batch_size * settings.accumulation_steps
    return min(end, start + max(1, math.ceil((limit - start) / group)) * group)


def spans(schedule: Callable[[], Iterator[Batch]]) -> Iterator[tuple[int, int]]:
    """The positions of a schedule's micro-batches, so that the source can read ahead."""
    return ((micro.start, micro.stop) for batch in schedule() for micro in batch.micro_batches)


def cut(
    start: int,
    end: int,
    settings: Resolved,
    micro_batch: int = NO_LIMIT,
    *,
    adds: bool = False,
) -> Iterator[Batch]:
    """The batches of an epoch's samples start…end−1; a group begins at `start`.

    `adds` is true if the losses are sums.
    """
    size = settings.batch_size
    group = size * settings.accumulation_steps
    for batch_start in range(start, end, size):
        in_group = (batch_start - start) % group  # samples of the same group before this batch
        group_start = batch_start - in_group
        # No min() and no keyword arguments: either costs 0.2 µs a batch.
        group_end = group_start + group if group_start + group < end else end
        stop = batch_start + size if batch_start + size < group_end else group_end
        yield Batch(
            batch_start,
            stop,
            group_end - group_start,
            in_group // size,
            stop == group_end,
            micro_batch,
            adds,
        )
