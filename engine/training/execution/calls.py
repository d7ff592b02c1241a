"""Calls of a block, one after another, until memory runs out."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from engine.settings import Resolved
from engine.training.data.sources import SampleSource
from engine.training.execution.block import Outcome, UpdateBlock, room
from engine.training.execution.done import TrainedBatches
from engine.training.out_of_memory import until_out_of_memory

LrsOf = Callable[[range], list[float]]
"""Takes the positions of an epoch at which updates begin, and returns their lrs."""


class EndBlock(NamedTuple):
    """A block of a single group, the short one that ends an epoch."""

    block: UpdateBlock
    samples: int
    """Samples of the group."""


def call_block(
    block: UpdateBlock,
    start: int,
    stop: int,
    resolved: Resolved,
    most: int,
    source: SampleSource,
    lrs_of: LrsOf,
    end: EndBlock | None = None,
) -> tuple[TrainedBatches, Exception | None]:
    """Train up to `most` batches at the positions from `start` up to `stop` in whole calls.

    `end` trains the short group that is left up to `stop`, if it has its size. Returns the batches,
    and the error if memory ran out.
    """
    done = TrainedBatches(start, resolved)
    calls, batches = room(block, start, stop, resolved, most)
    group = resolved.batch_size * resolved.accumulation_steps
    size = block.updates * group
    left = stop - start - calls * size
    fits = most >= batches - (-left // resolved.batch_size)
    if end is not None and not (0 < left == end.samples and fits):
        end = None

    def called() -> Iterator[tuple[Outcome, list[float]]]:
        for begin in range(start, stop - left, size):
            lrs = lrs_of(range(begin, begin + size, group))
            yield block.train(source.take(begin, begin + size), lrs), lrs
        if end is not None:
            lrs = lrs_of(range(stop - left, stop, group))
            yield end.block.train(source.take(stop - left, stop), lrs), lrs

    trained, failure = until_out_of_memory(called())
    done.add(trained, block, left if len(trained) > calls else 0)
    return done, failure
