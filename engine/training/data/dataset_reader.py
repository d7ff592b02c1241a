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
from torch.utils.data import default_collate as collate

from engine.problem import ProblemError

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

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def __getitem__(self, request: Request) -> Any:
        with _drawing_from(request.seed):
            if hasattr(self._dataset, "__getitems__"):
                samples = self._dataset.__getitems__(list(request.indices))
            else:
                samples = [self._dataset[index] for index in request.indices]
        first = samples[0]
        if not isinstance(first, dict) and not (
            isinstance(first, tuple | list) and len(first) >= 2
        ):
            raise ProblemError(
                "a sample of the Dataset must be a tuple with the target last, or a dict, "
                f"not {type(first).__name__}"
            )
        return collate(samples)


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
