"""Calls of a block, one after another, until memory runs out."""

from collections.abc import Callable, Iterator

from engine.settings import Resolved
from engine.training.data.sources import SampleSource
from engine.training.execution.block import Outcome, UpdateBlock, room
from engine.training.execution.done import TrainedBatches
from engine.training.out_of_memory import until_out_of_memory

LrsOf = Callable[[range], list[float]]
"""Takes the positions of an epoch at which updates begin, and returns their lrs."""


def call_block(
    block: UpdateBlock,
    start: int,
    stop: int,
    resolved: Resolved,
    most: int,
    source: SampleSource,
    lrs_of: LrsOf,
) -> tuple[TrainedBatches, Exception | None]:
    """Train up to `most` batches at the positions from `start` up to `stop` in whole calls.

    Returns them, and the error if memory ran out.
    """
    done = TrainedBatches(start, resolved)
    if not (calls := room(block, start, stop, resolved, most).calls):
        return done, None
    group = resolved.batch_size * resolved.accumulation_steps
    size = block.updates * group

    def called() -> Iterator[tuple[Outcome, list[float]]]:
        for begin in range(start, start + calls * size, size):
            lrs = lrs_of(range(begin, begin + size, group))
            yield block.train(source.take(begin, begin + size), lrs), lrs

    trained, failure = until_out_of_memory(called())
    done.add(trained, block)
    return done, failure
