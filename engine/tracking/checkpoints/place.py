"""The place of a loop in its script, as a checkpoint keeps it beside weights and counters."""

from typing import Self

import msgspec

from engine.checkpoint.values import Node, Packer, UnkeptError, unpack
from engine.log.reading.decode import decode_packed
from engine.settings import VariantSettings
from engine.settings.ranges import Count, Pace
from engine.tracking.loop.generators import with_bytes, with_tensors
from engine.tracking.loop.order import EpochPlace


class _Packed(msgspec.Struct, frozen=True):
    node: Node


class LoopPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a loop that neither counters nor weights say."""

    ranks: tuple[bytes, ...]
    """The place of each rank in its epoch, encoded; one of a loop that trains alone."""
    in_epoch: Count
    """Samples of the epoch that were trained, on all ranks."""
    has_epoch_ended: bool
    is_in_epochs: bool
    """True if the loop draws its batches from `run.epochs`."""
    starts: tuple[Count, ...] = ()
    """The epochs done at each call of `run.epochs` so far."""
    extended: Count = 0
    """Planned epochs, if a viewer has changed them; 0 if not."""
    epoch_samples: Count = 0
    """Samples in an epoch; 0 if unknown."""
    base_lr: Pace = 1.0
    """The lr of the script, of which that of the settings is a multiple."""
    waiting: tuple[tuple[Count, VariantSettings], ...] = ()
    """Settings that are not in force yet, each with the batches that come before."""

    def to_bytes(self) -> bytes:
        """The place as bytes."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def of_bytes(cls, data: bytes) -> Self:
        """The place that `to_bytes` described; DocumentError for anything else."""
        return decode_packed(data, cls)

    def of_rank(self, rank: int) -> EpochPlace:
        """The place of a rank in its epoch; raises if it cannot be right."""
        return decoded(self.ranks[rank])


def encoded(place: EpochPlace) -> bytes:
    """A place as bytes, without a description by its loader if that is not plain data."""
    try:
        return _encoded(place)
    except UnkeptError:
        if place.loader is None:
            raise
        return _encoded(_without_loader(place))


def _without_loader(place: EpochPlace) -> EpochPlace:
    return EpochPlace(**{**place.to_plain(), "loader": None})


def _encoded(place: EpochPlace) -> bytes:
    packer = Packer()
    node = packer.pack(with_bytes(place.to_plain()))
    if packer.tensors:
        raise UnkeptError("the state of a loader holds tensors")
    return msgspec.msgpack.encode(_Packed(node))


def decoded(data: bytes) -> EpochPlace:
    """The place that was encoded; raises for anything else."""
    return EpochPlace.of_plain(with_tensors(unpack(decode_packed(data, _Packed).node, {})))
