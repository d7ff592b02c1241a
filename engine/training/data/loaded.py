"""A source that reads a Dataset in our order, ahead of the training."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import dropwhile
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.utils.data import DataLoader

from engine.problem import count
from engine.training.data.dataset_reader import BatchReader, Request, Requests
from engine.training.data.moving import moved

if TYPE_CHECKING:
    from torch.utils.data import Dataset

    from engine.training.data.collating import Collate
    from engine.training.data.sources import Order, Samples, Span

_LOOK_SECONDS: Final = 1.0
"""Seconds between two looks of a reader after the process that trains."""


class LoadedSamples:
    """A Dataset that torch's DataLoader reads in our order, ahead of the training."""

    def __init__(
        self,
        dataset: Dataset[Any],
        device: torch.device,
        seed: int,
        workers: int,
        collate: Collate | None = None,
    ) -> None:
        self.n = count("data", dataset)
        self.has_collate = collate is not None
        """True if the problem makes batches itself: parts of one need not be slices of it."""
        self._device = device
        self._seed = seed
        self._order: Order | None = None
        self._epoch = 0
        self._spans: Callable[[], Iterable[Span]] = lambda: ()
        self._stream: Iterator[Samples] | None = None
        self._requests = Requests()
        self._reader = BatchReader(dataset, collate)
        self._loader: DataLoader[Any] = DataLoader(
            self._reader,
            sampler=self._requests,
            batch_size=None,
            collate_fn=_as_it_is,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=device.type == "cuda",
            # Forked workers need not pickle the user's Dataset. The order and the model draw from
            # other generators, so the moment at which the loader draws does not matter.
            multiprocessing_context="fork" if workers else None,
            generator=torch.Generator(),
            worker_init_fn=_end_with_training if hasattr(signal, "sigtimedwait") else None,
        )

    def begin(self, order: Order | None, epoch: int) -> None:
        self._order, self._epoch, self._stream = order, epoch, None

    def expect(self, spans: Callable[[], Iterable[Span]]) -> None:
        self._spans, self._stream = spans, None

    def take(self, start: int, stop: int) -> Samples:
        if self._stream is None:
            ahead = dropwhile(lambda span: span[0] < start, self._spans())
            self._stream = self._read(ahead, self._order, self._epoch)
        return next(self._stream)

    def pick(self, indices: Order) -> Samples:
        request = Request(seed=(self._seed, 0, *indices[:1].tolist()), indices=indices.tolist())
        return moved(self._reader[request], self._device)

    def cutter(self, indices: Order) -> Callable[[int, int, int], Samples]:
        """Batches of some samples, read once: of those from one place to another.

        The last argument is the number of a draw, for what `collate` draws at random.
        """
        samples = self._reader.read(Request(seed=(self._seed, 0), indices=indices.tolist()))

        def cut(start: int, stop: int, draw: int) -> Samples:
            batch = self._reader.batch(samples[start:stop], (self._seed, 0, draw))
            return moved(batch, self._device)

        return cut

    def sweep(self, piece: int) -> Iterator[tuple[Samples, int]]:
        self._stream = None  # the workers are shared: what they had read ahead is read again
        spans = [(start, min(start + piece, self.n)) for start in range(0, self.n, piece)]
        for samples, (start, stop) in zip(self._read(spans, None, 0), spans, strict=True):
            yield samples, stop - start

    def _read(self, spans: Iterable[Span], order: Order | None, epoch: int) -> Iterator[Samples]:
        self._requests.set(_requests(spans, order, self._seed, epoch))
        loader, device = self._loader, self._device
        # Holds no reference to the source: in a reference cycle, the loader's queues would be
        # destroyed before its workers are asked to end.
        return (moved(samples, device) for samples in loader)


def _requests(
    spans: Iterable[Span], order: Order | None, seed: int, epoch: int
) -> Iterator[Request]:
    for start, stop in spans:
        indices = range(start, stop) if order is None else order[start:stop].tolist()
        yield Request(seed=(seed, epoch, start), indices=indices)


def _as_it_is(samples: Any) -> Any:
    return samples


def _end_with_training(number: int) -> None:
    """End with the process that trains; on SIGTERM only if that has sent it: it needs its readers.

    A job scheduler sends the signal to all processes of a job. Readers whose parent is killed
    before DataLoader's watchdog first looks would outlive it.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None
    training = parent.pid

    def wait() -> None:
        while os.getppid() == training:
            received = signal.sigtimedwait([signal.SIGTERM], _LOOK_SECONDS)
            if received is not None and received.si_pid == training:
                break
        os._exit(0)

    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    threading.Thread(target=wait, daemon=True, name="signals").start()
