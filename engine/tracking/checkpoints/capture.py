"""A checkpoint of a tracked loop between two of its updates."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from engine.checkpoint.checkpoint import Checkpoint, Header
from engine.checkpoint.values import Packer
from engine.tracking.checkpoints.place import LoopPlace
from engine.training.state.position import Position

if TYPE_CHECKING:
    from engine.tracking.journal import Journal


def captured(journal: "Journal", state: Mapping[str, Any], place: LoopPlace) -> Checkpoint:
    """A checkpoint of the state of a loop, at the last batch of its journal.

    Waits for the copies off the device. Raises UnkeptError for anything but plain data and tensors.
    """
    at, packer = journal.builder.at, Packer()
    node = packer.pack({**state, "loop": place.to_bytes()})
    header = Header(
        generation=journal.started.generation,
        place=Position(
            epoch=at.epoch - (place.has_epoch_ended and not place.is_in_epochs),
            batches=at.batches,
            updates=at.updates,
            samples=at.samples,
            seconds=at.seconds,
            in_epoch=place.in_epoch,
            is_ordered=True,
            has_epoch_ended=place.has_epoch_ended,
        ),
        settings=journal.settings,
        epochs=max(journal.epochs, 1),
        micro_batch=None,
        n=journal.started.n,
        device=journal.started.device,
        threads=torch.get_num_threads(),
        torch=str(torch.__version__),
        wall_time=time.time(),
        bytes=sum(each.numel() * each.element_size() for each in packer.tensors.values()),
        state=node,
    )
    return Checkpoint(header, packer.tensors)
