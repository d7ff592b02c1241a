"""The batches of a user's loader, and the place in its epoch that a checkpoint keeps."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import torch
from torch.utils.data import DataLoader

from engine.tracking.loop.generators import LoopGenerators, States
from engine.tracking.loop.loaders import (
    UNKNOWN,
    length_of,
    samples_in,
    state_of,
    why_fixed,
    why_unordered,
)
from engine.tracking.loop.order import EpochPlace
from engine.tracking.loop.resizable import ResizableBatches, twin_of

Warn = Callable[[str], object]


class LoaderBatches:
    """The batches of a loader, epoch by epoch, with the samples in each."""

    def __init__(
        self, loader: Iterable[Any], *, is_plain: bool = False, device: str = "cpu"
    ) -> None:
        """With `is_plain`, read the loader itself, so that the batch size stays.

        `device`: the one that the loop trains on.
        """
        self._loader: Iterable[Any] = loader
        self._original: Any = loader
        self.generators = LoopGenerators(loader, torch.device(device))
        self._start: States | None = None
        """The states of the generators when this epoch began; None if they are not kept."""
        self._keeps = not is_plain
        self._resumed: tuple[EpochPlace, Warn] | None = None
        self.fixed = "tracking is switched off" if is_plain else why_fixed(loader)
        """Why the batch size cannot change; empty if it can."""
        self._batches: ResizableBatches | None = None
        if not self.fixed:
            assert isinstance(loader, DataLoader)
            original: Any = loader.batch_sampler
            self._batches = ResizableBatches(
                original.sampler, original.batch_size, drop_last=original.drop_last
            )
            self._loader = twin_of(loader, self._batches)
        self.given = 0
        """Batches of this epoch that the loop has."""
        self.samples = 0
        """The samples in them."""
        self._left = UNKNOWN
        """Samples of this epoch that the loop does not have yet, unless unknown."""

    @property
    def epoch_samples(self) -> int:
        """Samples in an epoch; 0 if unknown."""
        source: Any = self._loader
        if self._batches is not None:
            return length_of(self._batches.sampler)
        sampler = getattr(getattr(source, "batch_sampler", None), "sampler", None)
        return (
            length_of(sampler) if sampler is not None else length_of(getattr(source, "dataset", ()))
        )

    @property
    def batch_size(self) -> int:
        """Samples in a batch at first; 0 if unknown."""
        if self._batches is not None:
            return self._batches.batch_size
        size = getattr(self._loader, "batch_size", None)
        return size if isinstance(size, int) else UNKNOWN

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
        self.given = self.samples = 0
        self._start = None
        if self._keeps:
            with contextlib.suppress(Exception):  # training goes on without an order to keep
                self._start = self.generators.states()
        if self._batches is None:
            self._left = length_of(self._loader)
            for batch in self._resumed_batches():
                self.given += 1
                samples = samples_in(batch)
                self.samples += samples
                yield batch, samples
            return
        self._left = self.epoch_samples or -1
        if self._resumed is not None:
            self._batches.resume(self._resumed[0], self._go_on)
            self._restore_start(self._resumed[0])
        for batch in self._loader:
            self.given += 1
            samples = self._batches.sizes.popleft()
            self.samples += samples
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

    # --- Places ---------------------------------------------------------------------------------

    def place(self, untrained: int | None = None) -> EpochPlace:
        """The place after the batches that the loop has.

        `untrained`: the samples of the last one, if the loop has not trained it.
        """
        skipped = () if untrained is None else (untrained,)
        batches = self._batches
        return EpochPlace(
            now=self.generators.states(),
            start=self._start,
            given=self.given - len(skipped),
            samples=self.samples - sum(skipped),
            ahead=() if batches is None else (*skipped, *batches.sizes),
            is_exhausted=batches is not None and batches.is_exhausted,
            last=(0, 0) if batches is None else batches.last,
            batch_size=0 if batches is None else batches.batch_size,
            switches=() if batches is None else batches.switches,
            loader=state_of(self._original),
        )

    def between_epochs(self) -> EpochPlace:
        """The place at the end of an epoch."""
        size = 0
        if self._batches is not None:
            size = self._batches.switches[-1][1] if self._batches.switches else self.batch_size
        return EpochPlace(now=self.generators.states(), batch_size=size)

    def resume(self, place: EpochPlace, warn: Warn) -> None:
        """Go on from this place when the next epoch is read.

        `warn` takes the reason if that is impossible; the epoch then begins again.
        """
        self._resumed = place, warn
        if self._batches is not None and place.batch_size:
            self._batches.batch_size = place.batch_size
        if place.start is None:
            self._resumed = None
            self.generators.restore(place.now)

    def _go_on(self, is_same: bool) -> None:
        """Let the loop train on from the place, now that the order up to there has been drawn."""
        assert self._resumed is not None
        (place, warn), self._resumed = self._resumed, None
        self.generators.restore(place.now)
        if is_same:
            self._count_as_given(place, place.samples)
        else:
            self._start = place.now
            warn("the sampler yields another order of samples than before")

    def _resumed_batches(self) -> Iterator[Any]:
        """The batches of a loader that is read as it is, after those that were trained."""
        if self._resumed is None:
            yield from self._loader
            return
        (place, warn), self._resumed = self._resumed, None
        if place.loader is None and (reason := why_unordered(self._loader)):
            warn(reason)
            self._start = place.now
            self.generators.restore(place.now)
            yield from self._loader
            return
        if place.loader is not None:
            self._original.load_state_dict(place.loader)
            batches = iter(self._loader)
        else:
            self._restore_start(place)
            batches = iter(self._loader)
            next(islice(batches, place.given, place.given), None)
        self.generators.restore(place.now)
        self._count_as_given(place, place.given)
        yield from batches

    def _restore_start(self, place: EpochPlace) -> None:
        """Let the order of the epoch be drawn once more."""
        if place.start is not None:
            self._start = place.start
            self.generators.restore(place.start)

    def _count_as_given(self, place: EpochPlace, share: int) -> None:
        """Count the batches before the place; `share` is their part of what the epoch holds."""
        self.given, self.samples = place.given, place.samples
        if self._left > 0:
            self._left = max(self._left - share, 0)
