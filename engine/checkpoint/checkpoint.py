"""A checkpoint: a position in a variant's training and everything that decides its future."""

from dataclasses import dataclass
from typing import Any

import msgspec
import torch
from torch import Tensor

from engine.checkpoint.trainer_state import restore_trainer, trainer_state
from engine.checkpoint.values import Node, Packer, UnkeptError, unpack
from engine.settings import VariantSettings
from engine.settings.ranges import Count, Identifier, Moment, Ordinal
from engine.training.state.modules import StateMismatchError
from engine.training.state.position import Position
from engine.training.trainer import Trainer


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in a checkpoint but its tensors."""

    generation: Ordinal
    place: Position
    settings: VariantSettings
    """The settings in force."""
    epochs: Ordinal
    """Planned epochs, over which schedules are spread."""
    micro_batch: Ordinal | None
    """Maximum number of samples given to the device at once; None means whole batches."""
    n: Ordinal
    """Samples in the training set."""
    device: str
    threads: Count
    """CPU threads, on which the rounding of sums depends."""
    torch: str
    """Version of torch."""
    wall_time: Moment = 0.0
    bytes: Identifier = 0
    """Bytes of the tensors."""
    state: Node


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint in memory."""

    header: Header
    tensors: dict[str, Tensor]

    @property
    def batches(self) -> int:
        """Batches of its generation that were done."""
        return self.header.place.batches


def capture(trainer: Trainer, *, wall_time: float = 0.0) -> Checkpoint:
    """A checkpoint of a trainer between two groups; waits for the copies off the device.

    Raises UnkeptError if its model or optimiser holds anything but plain data and tensors.
    """
    packer = Packer()
    state = trainer_state(trainer)
    own = state["recipe"]["own"]
    if own is not None:
        own["scheduler"] = _plain_or_none(own["scheduler"])
    node = packer.pack(state)
    header = Header(
        generation=trainer.generation,
        place=trainer.position,
        settings=trainer.settings,
        epochs=trainer.epochs,
        micro_batch=trainer.most_at_once,
        n=trainer.n,
        device=str(trainer.device),
        threads=torch.get_num_threads(),
        torch=str(torch.__version__),
        wall_time=wall_time,
        bytes=sum(each.numel() * each.element_size() for each in packer.tensors.values()),
        state=node,
    )
    return Checkpoint(header, packer.tensors)


def _plain_or_none(state: Any) -> Any:
    """The state of a scheduler; None if it holds functions, so that it must be stepped instead."""
    try:
        Packer().pack(state)
    except UnkeptError:
        return None
    return state


def restore(trainer: Trainer, checkpoint: Checkpoint) -> None:
    """Let a newly made trainer with the checkpoint's settings continue from it.

    Raises StateMismatchError if it belongs to another problem; the trainer is of no use then.
    """
    header = checkpoint.header
    if header.n != trainer.n:
        raise StateMismatchError(f"it was trained on {header.n:,} samples, not {trainer.n:,}")
    try:
        state = unpack(header.state, checkpoint.tensors)
    except (ValueError, RuntimeError, RecursionError) as error:
        raise StateMismatchError(str(error)) from error
    if not isinstance(state, dict):
        raise StateMismatchError("it holds no state")
    restore_trainer(trainer, header.place, state)
