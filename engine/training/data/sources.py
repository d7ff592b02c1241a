"""Sources of batches: tensors on the device or on the host, or a Dataset read by loaders.

A source knows nothing about groups or the length of epochs: it receives an order and the spans to
expect, and returns the samples of those spans. The losses are the same with any source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.training.data.moving import moved
from engine.training.devices.errors import is_out_of_memory
from engine.training.devices.memory import release_memory

Samples = Any
"""A batch: a sequence of tensors, the target last, or a mapping of them."""
Span = tuple[int, int]
"""Positions start…stop−1 in the order."""
Order = NDArray[np.int64]


class EvaluatedData(Protocol):
    """Samples that a model can be evaluated on: of a data set, or of a part of one."""

    n: int

    def pick(self, indices: Order) -> Samples:
        """The samples with these indices, whatever the order; expected spans are kept."""

    def sweep(self, piece: int) -> Iterator[tuple[Samples, int]]:
        """All samples in stored order, in pieces with their sizes; expected spans are kept."""


class SampleSource(EvaluatedData, Protocol):
    """Provides the samples of one data set, on the device."""

    def begin(self, order: Order | None, epoch: int) -> None:
        """Let positions refer to this order of the samples; None means the stored order."""

    def expect(self, spans: Callable[[], Iterable[Span]]) -> None:
        """Announce the spans to be taken next, in order; each `spans()` starts at the first."""

    def take(self, start: int, stop: int) -> Samples:
        """The samples at these positions."""


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


class NamedTensors:
    """A source of tensors as dicts of them, by the names that they have in a mapping."""

    def __init__(self, source: SampleSource, names: tuple[str, ...]) -> None:
        self.n = source.n
        self._source = source
        self._names = names

    def begin(self, order: Order | None, epoch: int) -> None:
        self._source.begin(order, epoch)

    def expect(self, spans: Callable[[], Iterable[Span]]) -> None:
        self._source.expect(spans)

    def take(self, start: int, stop: int) -> Samples:
        return self._named(self._source.take(start, stop))

    def pick(self, indices: Order) -> Samples:
        return self._named(self._source.pick(indices))

    def sweep(self, piece: int) -> Iterator[tuple[Samples, int]]:
        for samples, size in self._source.sweep(piece):
            yield self._named(samples), size

    def _named(self, samples: Samples) -> Samples:
        return dict(zip(self._names, samples, strict=True))
