"""The record of how updates are computed."""

from typing import Annotated

import msgspec

from engine.log.records.base import Record
from engine.settings.ranges import Count, Ordinal, Rate, Seconds, UpdatesPerCall


class Execution(Record, frozen=True, kw_only=True):
    """Another step computes the updates from `update` on; or the reason why none does.

    The batches that a compiled step trained are in the chunks.
    """

    generation: Ordinal
    batch: Ordinal
    update: Ordinal
    seconds: Seconds
    """Training time before that update."""
    compiled: UpdatesPerCall = 0
    """Updates in each call of the compiled step; 0 if the eager step trains."""
    build: Annotated[str, msgspec.Meta(max_length=200)] = ""
    """The identity of the compiled step, equal for equal programs."""
    threads: Count = 0
    """CPU threads within an operation."""
    eager_speed: Rate = 0.0
    """Updates per second of training time with the eager step before; 0 if unknown."""
    reason: str = ""
    """Why the eager step trains, in one line."""
