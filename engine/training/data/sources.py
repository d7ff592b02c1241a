"""Sources of batches: tensors on the device or on the host, or a Dataset read by loaders.

A source knows nothing about groups or the length of epochs: it receives an order and the spans to
expect, and returns the samples of those spans. The losses are the same with any source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import dropwhile
from typing import Any, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

from engine.problem import ProblemError, count, is_function
from engine.settings import DataOn
from engine.training.data.dataset_reader import BatchReader, Request, Requests
from engine.training.devices.errors import is_out_of_memory
from engine.training.devices.memory import free_memory, release_memory

Samples = Any
"""A batch: a sequence of tensors, the target last, or a mapping of them."""
Span = tuple[int, int]
"""Positions start…stop−1 in the order."""
Order = NDArray[np.int64]

_LAID_OUT_BYTES: Final = 256 << 20
"""Largest data copied into each epoch's order on the CPU, which makes each batch a slice."""
_DEVICE_SHARE: Final = 0.25
"""Share of a GPU's free memory for the data: they are there twice, and the model needs space."""


class SampleSource(Protocol):
    """Provides the samples of one data set, on the device."""

    n: int

    def begin(self, order: Order | None, epoch: int) -> None:
        """Let positions refer to this order of the samples; None means the stored order."""

    def expect(self, spans: Callable[[], Iterable[Span]]) -> None:
        """Announce the spans to be taken next, in order; each `spans()` starts at the first."""

    def take(self, start: int, stop: int) -> Samples:
        """The samples at these positions."""

    def pick(self, indices: Order) -> Samples:
        """The samples with these indices, whatever the order; expected spans are kept."""

    def sweep(self, piece: int) -> Iterator[tuple[Samples, int]]:
        """All samples in stored order, in pieces with their sizes; expected spans are kept."""


class LaidOutTensors:
    """Tensors on the device, copied into each epoch's order so that a batch is a slice."""

    def __init__(self, tensors: tuple[Tensor, ...]) -> None:
        self.n = len(tensors[0])
        self._data = self._epoch_data = tensors
        self._index: Tensor | None = None
        """The epoch's order, where memory has no room for a copy in it."""

    def begin(self, order: Order | None, epoch: int) -> None:
        # Frees the copy before the next one is made.
        self._epoch_data, self._index = self._data, None
        if order is None:
            return
        device = self._data[0].device
        index = torch.from_numpy(order).to(device)
        try:
            self._epoch_data = tuple(tensor.index_select(0, index) for tensor in self._data)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self._index = index
        if self._index is not None:
            release_memory(device)

    def expect(self, spans: Callable[[], Iterable[Span]]) -> None:
        """No effect: everything is at hand."""

    def take(self, start: int, stop: int) -> Samples:
        if self._index is not None:
            return [tensor.index_select(0, self._index[start:stop]) for tensor in self._data]
        return [tensor[start:stop] for tensor in self._epoch_data]

    def pick(self, indices: Order) -> Samples:
        index = torch.from_numpy(indices).to(self._data[0].device)
        return [tensor.index_select(0, index) for tensor in self._data]

    def sweep(self, piece: int) -> Iterator[tuple[Samples, int]]:
        for start in range(0, self.n, piece):
            yield (
                [tensor[start : start + piece] for tensor in self._data],
                min(piece, self.n - start),
            )


class GatheredTensors:
    """Host tensors, perhaps mapped from a file; each batch is gathered and copied to the device."""

    def __init__(self, tensors: tuple[Tensor, ...], device: torch.device) -> None:
        self.n = len(tensors[0])
        self._data = tensors
        self._device = device
        self._order: Tensor | None = None

    def begin(self, order: Order | None, epoch: int) -> None:
        self._order = None if order is None else torch.from_numpy(order)

    def expect(self, spans: Callable[[], Iterable[Span]]) -> None:
        """No effect: everything is at hand."""

    def take(self, start: int, stop: int) -> Samples:
        if self._order is None:
            return self._moved([tensor[start:stop] for tensor in self._data])
        index = self._order[start:stop]
        return self._moved([tensor.index_select(0, index) for tensor in self._data])

    def pick(self, indices: Order) -> Samples:
        index = torch.from_numpy(indices)
        return self._moved([tensor.index_select(0, index) for tensor in self._data])

    def sweep(self, piece: int) -> Iterator[tuple[Samples, int]]:
        for start in range(0, self.n, piece):
            samples = self._moved([tensor[start : start + piece] for tensor in self._data])
            yield samples, min(piece, self.n - start)

    def _moved(self, samples: list[Tensor]) -> Samples:
        if self._device.type == "cuda":
            samples = [tensor.pin_memory() for tensor in samples]
        return moved(samples, self._device)


class LoadedSamples:
    """A Dataset that torch's DataLoader reads in our order, ahead of the training."""

    def __init__(
        self, dataset: Dataset[Any], device: torch.device, seed: int, workers: int
    ) -> None:
        self.n = count("data", dataset)
        self._device = device
        self._seed = seed
        self._order: Order | None = None
        self._epoch = 0
        self._spans: Callable[[], Iterable[Span]] = lambda: ()
        self._stream: Iterator[Samples] | None = None
        self._requests = Requests()
        self._reader = BatchReader(dataset)
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


def open_source(
    data: Any,
    device: torch.device,
    *,
    seed: int,
    data_on: DataOn,
    loader_workers: int,
    sharing: int = 1,
    is_trial: bool = False,
) -> SampleSource:
    """The source for tensors or a Dataset, or a function that makes them.

    `sharing` is the number of variants that keep their data on this device. With `is_trial`, only
    a few samples will be read. Raises ProblemError for a Dataset with data_on=DEVICE.
    """
    if is_function(data):
        data = data()
    if type(data) is TensorDataset:
        data = data.tensors
    if not isinstance(data, tuple | list):
        if data_on is DataOn.DEVICE:
            raise ProblemError(
                "data on device: a Dataset is read sample by sample; use tensors, or --data-on auto"
            )
        return LoadedSamples(data, device, seed, loader_workers)
    tensors = tuple(torch.as_tensor(each) for each in data)
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    if is_trial:
        return GatheredTensors(tensors, device)
    if data_on is DataOn.DEVICE:
        return LaidOutTensors(_on_device(tensors, device))
    if data_on is DataOn.AUTO and size <= _room(device) / sharing:
        try:
            return LaidOutTensors(_on_device(tensors, device))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        release_memory(device)
    return GatheredTensors(tensors, device)


def _on_device(tensors: tuple[Tensor, ...], device: torch.device) -> tuple[Tensor, ...]:
    return tuple(tensor.to(device) for tensor in tensors)


def _room(device: torch.device) -> float:
    """Bytes that the data may take on a device."""
    return free_memory(device) * _DEVICE_SHARE if device.type == "cuda" else _LAID_OUT_BYTES


def moved(samples: Any, device: torch.device) -> Samples:
    """The samples, with all their tensors moved to the device."""
    if isinstance(samples, Tensor):
        return samples.to(device, non_blocking=True)
    if isinstance(samples, Mapping):
        return {name: moved(value, device) for name, value in samples.items()}
    if isinstance(samples, tuple | list):
        return [moved(value, device) for value in samples]
    return samples


def _as_it_is(samples: Any) -> Any:
    return samples
