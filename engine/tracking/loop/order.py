"""The place in an epoch's order of samples, from which another process goes on with the epoch."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self
from zlib import crc32

from engine.settings.ranges import MOST_COUNTED
from engine.tracking.loop.generators import States


@dataclass(frozen=True, slots=True)
class EpochPlace:
    """A place in an epoch, as one process of the loop has reached it."""

    now: States
    """The states of the generators at the place."""
    start: States | None = None
    """Their states when the epoch began; None between two epochs."""
    given: int = 0
    """Batches of the epoch that the loop has trained."""
    samples: int = 0
    """The samples in them."""
    ahead: tuple[int, ...] = ()
    """The sizes of further batches that loader workers have read."""
    last: tuple[int, int] = (0, 0)
    """Size and checksum of the last batch of indices that was drawn; zeros if none is known."""
    is_exhausted: bool = False
    """True if the sampler was asked for more indices than it has."""
    batch_size: int = 0
    """The size of the next batch that is drawn; 0 if the loader decides."""
    switches: tuple[tuple[int, int], ...] = ()
    """Batches of the epoch after which another size is in force, and that size."""
    loader: Any = None
    """The loader's own description of the place; None for loaders that have none."""

    def to_plain(self) -> dict[str, Any]:
        """The place as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of_plain(cls, plain: Any) -> Self:
        """The place that `to_plain` described; ValueError or TypeError for anything else."""
        place = cls(**plain)
        counts = (place.given, place.samples, place.batch_size, *place.ahead, *place.last)
        counts += tuple(number for switch in place.switches for number in switch)
        if not all(type(each) is int and 0 <= each <= MOST_COUNTED for each in counts):
            raise ValueError("its place in the epoch cannot be right")
        sizes = (*place.ahead, *(size for _, size in place.switches))
        if len(place.last) != 2 or not all(sizes):
            raise ValueError("its place in the epoch cannot be right")
        return place

    def skip(self, indices: Iterator[Any]) -> list[list[Any]] | None:
        """Draw what had been drawn; returns the batches that were read ahead.

        Returns None if the order is not that of the earlier process.
        """
        ahead = sum(self.ahead)
        kept = max(ahead, self.last[0])
        drawn = self.samples + ahead
        next(islice(indices, max(drawn - kept, 0), max(drawn - kept, 0)), None)
        tail = [*islice(indices, min(kept, drawn))]
        size, check = self.last
        if len(tail) < min(kept, drawn) or (size and checksum(tail[-size:]) != check):
            return None
        if self.is_exhausted:
            next(indices, None)
        rest = iter(tail[len(tail) - ahead :])
        return [[*islice(rest, size)] for size in self.ahead]


def checksum(indices: Iterable[Any]) -> int:
    """A checksum by which an order of samples is recognised."""
    return crc32(repr([*indices]).encode())
