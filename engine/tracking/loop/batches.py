"""A user's DataLoader, read so that the batch size can change within an epoch.

torch's DataLoader refuses a new batch size, so a twin of it is read: the same dataset, sampler,
generator and worker processes, but with a sampler of batches whose size may change. It draws from
the same random generators in the same order, so its batches are those of the original.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final

import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, Sampler

_UNKNOWN: Final = 0


class ResizableBatches(Sampler[list[Any]]):
    """Batches of indices whose size may change while they are read."""

    def __init__(self, sampler: Any, batch_size: int, *, drop_last: bool) -> None:
        self.sampler = sampler
        self.batch_size = batch_size
        """The size of the next batch that is read, unless a switch comes first."""
        self.drop_last = drop_last
        self.drawn = 0
        """Batches read in this epoch, those that loader workers have read ahead among them."""
        self.sizes: deque[int] = deque()
        """The sizes of batches that were read but not yet given to the loop."""
        self._switches: deque[tuple[int, int]] = deque()
        """Batches of this epoch after which another size is in force, and that size."""

    def __iter__(self) -> Iterator[list[Any]]:
        self.drawn = 0
        self.sizes.clear()
        if self._switches:
            self.batch_size = self._switches[-1][1]
            self._switches.clear()
        indices = iter(self.sampler)
        while batch := self._next(indices):
            if self.drop_last and len(batch) < self.batch_size:
                return
            self.drawn += 1
            self.sizes.append(len(batch))
            yield batch

    def _next(self, indices: Iterator[Any]) -> list[Any]:
        while self._switches and self._switches[0][0] <= self.drawn:
            self.batch_size = self._switches.popleft()[1]
        batch = []
        for index in indices:
            batch.append(index)
            if len(batch) == self.batch_size:
                break
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


class LoaderBatches:
    """The batches of a loader, epoch by epoch, with the samples in each."""

    def __init__(self, loader: Iterable[Any], *, is_plain: bool = False) -> None:
        """With `is_plain`, read the loader itself, so that the batch size stays."""
        self._loader: Iterable[Any] = loader
        self.fixed = "tracking is switched off" if is_plain else _why_fixed(loader)
        """Why the batch size cannot change; empty if it can."""
        self._batches: ResizableBatches | None = None
        if not self.fixed:
            assert isinstance(loader, DataLoader)
            original: Any = loader.batch_sampler
            self._batches = ResizableBatches(
                original.sampler, original.batch_size, drop_last=original.drop_last
            )
            self._loader = _twin(loader, self._batches)
        self.given = 0
        """Batches of this epoch that the loop has."""
        self._left = _UNKNOWN
        """Samples of this epoch that the loop does not have yet, unless unknown."""

    @property
    def epoch_samples(self) -> int:
        """Samples in an epoch; 0 if unknown."""
        source: Any = self._loader
        if self._batches is not None:
            return _length(self._batches.sampler)
        sampler = getattr(getattr(source, "batch_sampler", None), "sampler", None)
        return _length(sampler) if sampler is not None else _length(getattr(source, "dataset", ()))

    @property
    def batch_size(self) -> int:
        """Samples in a batch at first; 0 if unknown."""
        if self._batches is not None:
            return self._batches.batch_size
        size = getattr(self._loader, "batch_size", None)
        return size if isinstance(size, int) else _UNKNOWN

    @property
    def drop_last(self) -> bool:
        return bool(getattr(self._loader, "drop_last", False)) or (
            self._batches is not None and self._batches.drop_last
        )

    @property
    def ahead(self) -> int:
        """Batches that loader workers have read ahead, beyond those that the loop has."""
        return 0 if self._batches is None else len(self._batches.sizes)

    @property
    def is_last(self) -> bool:
        """True if the loop has the last batch of the epoch; false if that is unknown."""
        if self._batches is None:
            return self._left > 0 and self.given >= self._left
        if self._left <= 0:
            return self._left == 0 and self.given > 0
        return self._batches.drop_last and not self.ahead and self._left < self._batches.batch_size

    def set_epoch(self, epoch: int) -> None:
        """Let a DistributedSampler draw the order of this epoch, counted from 0."""
        sampler: Any = getattr(getattr(self._loader, "batch_sampler", None), "sampler", None)
        if callable(set_epoch := getattr(sampler, "set_epoch", None)):
            set_epoch(epoch)

    def epoch(self) -> Iterator[tuple[Any, int]]:
        """The batches of one epoch, each with its samples; 0 if unknown."""
        self.given = 0
        if self._batches is None:
            self._left = _length(self._loader)
            for batch in self._loader:
                self.given += 1
                yield batch, samples_in(batch)
            return
        self._left = self.epoch_samples or -1
        for batch in self._loader:
            self.given += 1
            samples = self._batches.sizes.popleft()
            if self._left > 0:
                self._left -= samples
            yield batch, samples

    def resize(self, batch_size: int, multiple: int, ahead: int = 0) -> int:
        """Use another batch size as soon as possible, at the end of a group of `multiple` batches.

        Called between two groups. Returns the batches that come before: those read ahead, here or
        by another rank, which has read `ahead`.
        """
        assert self._batches is not None
        wait = -(-max(self.ahead, ahead) // multiple) * multiple
        self._batches.switch(batch_size, self.given + wait)
        return wait


def samples_in(batch: Any) -> int:
    """The samples in a batch, by the first dimension of its first tensor; 0 if it has none."""
    if isinstance(batch, torch.Tensor):
        return int(batch.shape[0]) if batch.dim() else _UNKNOWN
    parts: Iterable[Any] = ()
    if isinstance(batch, dict):
        parts = batch.values()
    elif isinstance(batch, list | tuple):
        parts = batch
    elif hasattr(batch, "shape") and len(batch.shape):
        return int(batch.shape[0])
    return next((size for each in parts if (size := samples_in(each))), _UNKNOWN)


def _length(source: Any) -> int:
    try:
        return len(source)
    except (TypeError, NotImplementedError):
        return _UNKNOWN


def _why_fixed(loader: Iterable[Any]) -> str:
    if type(loader) is not DataLoader:
        return f"the loader is a {type(loader).__name__}, not a plain torch DataLoader"
    if isinstance(loader.dataset, IterableDataset):
        return "the loader reads an IterableDataset, whose samples come in an order of its own"
    if type(loader.batch_sampler) is not BatchSampler:
        return "the loader has a batch sampler of its own, which decides the size"
    if not getattr(loader, "in_order", True):
        return "the loader's workers deliver batches in any order (in_order=False)"
    return ""


def _twin(loader: "DataLoader[Any]", batches: ResizableBatches) -> "DataLoader[Any]":
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
