"""Batches of indices whose size may change, and a loader that reads them.

torch's DataLoader refuses a new batch size, so a twin of it is read: the same dataset, sampler,
generator and worker processes, but with a sampler of batches whose size may change. It draws from
the same random generators in the same order, so its batches are those of the original.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from torch.utils.data import DataLoader, Sampler

from engine.tracking.loop.order import EpochPlace, checksum


class ResizableBatches(Sampler[list[Any]]):
    """Batches of indices whose size may change while they are read."""

    def __init__(self, sampler: Any, batch_size: int, *, drop_last: bool) -> None:
        self.sampler = sampler
        self.batch_size = batch_size
        """The size of the next batch that is read, unless a switch comes first."""
        self.drop_last = drop_last
        self.drawn = 0
        """Batches read in this epoch, those that loader workers have read ahead among them."""
        self.is_exhausted = False
        """True once the sampler has reached its end, at which some samplers draw once more."""
        self.sizes: deque[int] = deque()
        """The sizes of batches that were read but not yet given to the loop."""
        self._switches: deque[tuple[int, int]] = deque()
        """Batches of this epoch after which another size is in force, and that size."""
        self._last: list[Any] = []
        """The last batch that was drawn."""
        self._resumed: tuple[EpochPlace, Callable[[bool], object]] | None = None

    def __iter__(self) -> Iterator[list[Any]]:
        self.drawn = 0
        self.is_exhausted = False
        self.sizes.clear()
        indices = iter(self.sampler)
        if self._resumed is not None:
            ahead, indices = self._skip(indices, *self._resumed)
            yield from ahead
        elif self._switches:
            self.batch_size = self._switches[-1][1]
            self._switches.clear()
        while batch := self._next(indices):
            if self.drop_last and len(batch) < self.batch_size:
                return
            self.drawn += 1
            self.sizes.append(len(batch))
            self._last = batch
            yield batch

    def resume(self, place: EpochPlace, then: Callable[[bool], object]) -> None:
        """Go on from this place when the next epoch is read.

        `then` is called once the order up to there has been drawn; with False if it is another
        order than before, so that the epoch begins again.
        """
        self._resumed = place, then
        self.batch_size = place.batch_size or self.batch_size
        self._switches = deque(place.switches)

    def _skip(
        self, indices: Iterator[Any], place: EpochPlace, then: Callable[[bool], object]
    ) -> tuple[list[list[Any]], Iterator[Any]]:
        """The batches that were read ahead, and the indices after them."""
        self._resumed = None
        if (ahead := place.skip(indices)) is None:
            self._switches.clear()
            then(False)
            return [], iter(self.sampler)
        self.is_exhausted = place.is_exhausted
        self.drawn = place.given + len(ahead)
        self.sizes.extend(map(len, ahead))
        if ahead:
            self._last = ahead[-1]
        then(True)
        return ahead, indices

    @property
    def switches(self) -> tuple[tuple[int, int], ...]:
        """Batches of this epoch after which another size is in force, and that size."""
        return tuple(self._switches)

    @property
    def last(self) -> tuple[int, int]:
        """Size and checksum of the last batch that was drawn."""
        return len(self._last), checksum(self._last)

    def _next(self, indices: Iterator[Any]) -> list[Any]:
        while self._switches and self._switches[0][0] <= self.drawn:
            self.batch_size = self._switches.popleft()[1]
        batch = []
        for index in indices:
            batch.append(index)
            if len(batch) == self.batch_size:
                return batch
        self.is_exhausted = True
        return batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)
        return whole + bool(rest and not self.drop_last)

    def switch(self, batch_size: int, after: int) -> None:
        """Read batches of this size after so many of this epoch, or from the next epoch on.

        It replaces switches that would come at that point or later.
        """
        while self._switches and self._switches[-1][0] >= after:
            self._switches.pop()
        self._switches.append((after, batch_size))


def twin_of(loader: "DataLoader[Any]", batches: ResizableBatches) -> "DataLoader[Any]":
    """A loader that differs from this one only in its sampler of batches."""
    return DataLoader(
        loader.dataset,
        batch_sampler=batches,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        pin_memory=loader.pin_memory,
        timeout=loader.timeout,
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context,
        generator=loader.generator,
        prefetch_factor=loader.prefetch_factor if loader.num_workers else None,
        persistent_workers=loader.persistent_workers,
    )
