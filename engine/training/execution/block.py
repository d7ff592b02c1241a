"""Blocks: several whole updates in one call of a compiled step, and the room a stage has for them.

The rule that decides which batches a block trains depends only on their number and on where they
begin, so that a repetition of the same batches computes them in the same way.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from torch import Tensor

from engine.settings import LrSchedule, Resolved, VariantSettings
from engine.training.data.sources import Samples


class Outcome(NamedTuple):
    """The results of one call of a block, on the device."""

    losses: Tensor
    """The loss of each batch."""
    weights: Tensor | None = None
    """The weight of each loss; None if that is its number of samples."""
    clipped: Tensor | None = None
    """For each update, True if its gradient was scaled down; None without clipping."""


class UpdateBlock(Protocol):
    """Several whole updates in one call, in the tensors of the model and optimiser it is made for.

    All their batches have the batch size in force, and all their groups are whole.
    """

    @property
    def updates(self) -> int:
        """Updates in a call."""

    @property
    def is_ready(self) -> bool:
        """True once the optimiser has the state that its first update makes."""

    def train(self, samples: Samples, lrs: Sequence[float]) -> Outcome:
        """Train on the samples of all batches in order, with the lr in force of each update."""


class BlockRoom(NamedTuple):
    """The part of a stage that a block can train from a group boundary on."""

    calls: int
    """Number of whole calls."""
    batches: int
    """Batches of these calls."""


def shape_of_updates(settings: VariantSettings, resolved: Resolved) -> tuple[object, ...]:
    """The settings that a compiled step is made for, beside the optimiser."""
    return (
        resolved.batch_size,
        resolved.accumulation_steps,
        settings.precision,
        settings.clip is None,
        settings.schedule is LrSchedule.OWN,
    )


def room(block: UpdateBlock, start: int, stop: int, resolved: Resolved, most: int) -> BlockRoom:
    """The calls for up to `most` batches at the positions from `start` up to `stop`."""
    size = block.updates * resolved.accumulation_steps
    calls = min((stop - start) // (size * resolved.batch_size), most // size)
    return BlockRoom(calls, calls * size)


def without_remainder(
    block: UpdateBlock, start: int, stop: int, resolved: Resolved, most: int
) -> int:
    """The most batches, up to `most`, of which the eager step need train none amid the stage."""
    calls, batches = room(block, start, stop, resolved, most)
    left = -(-(stop - start) // resolved.batch_size)
    is_end = left - batches < block.updates * resolved.accumulation_steps
    return min(left, most) if not calls or is_end else batches
