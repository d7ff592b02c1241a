"""Lets a DataLoader read a Dataset in whole batches, by their indices, each with its own seed.

A random transform then draws the same numbers whichever process reads a batch, however far ahead.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from engine.training.data.collating import Collate, batch_of

_SAMPLE_STREAM: Final = (
    0x73616D706C65  # "sample": keeps these draws apart from every other use of the seed
)


class Request(msgspec.Struct, frozen=True):
    """The request to read one batch."""

    seed: tuple[int, ...]
    """Seed of all random draws while the batch is being read."""
    indices: Sequence[int]


class Requests(Sampler[Request]):
    """The batches that a DataLoader is to read next."""

    def __init__(self) -> None:
        self._requests: Iterable[Request] = ()

    def set(self, requests: Iterable[Request]) -> None:
        """Read these batches in the loader's next iteration."""
        self._requests = requests

    def __iter__(self) -> Iterator[Request]:
        return iter(self._requests)


class BatchReader(Dataset[Any]):
    """A Dataset of batches, indexed by Requests."""

    def __init__(self, dataset: Any, collate: Collate | None) -> None:
        self._dataset = dataset
        self._collate = collate

    def __getitem__(self, request: Request) -> Any:
        with _drawing_from(request.seed):
            return batch_of(self._samples(request.indices), self._collate)

    def read(self, request: Request) -> Sequence[Any]:
        """The samples of a request, as the Dataset returns them."""
        with _drawing_from(request.seed):
            return self._samples(request.indices)

    def batch(self, samples: Sequence[Any], seed: tuple[int, ...]) -> Any:
        """The batch of samples that were read."""
        with _drawing_from(seed):
            return batch_of(samples, self._collate)

    def _samples(self, indices: Sequence[int]) -> Sequence[Any]:
        if hasattr(self._dataset, "__getitems__"):
            samples: Sequence[Any] = self._dataset.__getitems__(list(indices))
            return samples
        return [self._dataset[index] for index in indices]


@contextmanager
def _drawing_from(seed: tuple[int, ...]) -> Iterator[None]:
    """Seed the random numbers of torch, numpy and Python; restore their states afterwards."""
    drawn = np.random.SeedSequence([_SAMPLE_STREAM, *seed]).generate_state(2, np.uint64).tolist()
    before = torch.random.get_rng_state(), random.getstate(), np.random.get_state()
    torch.default_generator.manual_seed(drawn[0] >> 1)
    random.seed(drawn[1])
    np.random.seed(drawn[1] & 0xFFFFFFFF)
    try:
        yield
    finally:
        torch.random.set_rng_state(before[0])
        random.setstate(before[1])
        np.random.set_state(before[2])
