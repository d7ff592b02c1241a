"""Chooses samples for an audit that differ from each other, and cuts them into parts."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.problem import is_tensors
from engine.training.data.loaded import LoadedSamples
from engine.training.data.sources import Samples, SampleSource

Cut = Callable[[int, int, int], Samples]
"""`cut(start, stop, draw)` returns the samples from one place to another as a batch.

`draw` numbers the draws of what draws at random while it makes batches.
"""

_CANDIDATES: Final = 512
"""Size of the pool to choose from, large enough to include rare classes and short texts."""


def choose(data: Any, n: int, count: int) -> NDArray[np.int64]:
    """Up to `count` of the n samples, spread over the data, ordered by their targets.

    If the targets are not available, as with a Dataset, the samples keep the order of the data.
    """
    candidates = np.unique(np.linspace(0, n - 1, min(n, _CANDIDATES)).astype(np.int64))
    tensors = getattr(data, "tensors", data)  # a TensorDataset holds them here
    if is_tensors(tensors):
        target = torch.as_tensor(tensors[-1][candidates])
        candidates = candidates[np.argsort(_keys(target), kind="stable")]
    places = np.linspace(0, len(candidates) - 1, min(n, count)).round().astype(np.int64)
    return candidates[np.unique(places)]


def _keys(target: Tensor) -> NDArray[np.float64]:
    """A sort key per target that separates targets which a loss may weight differently."""
    rows = target.reshape(len(target), -1)
    if not rows.is_floating_point():
        # The lowest is often padding: the first part should not consist of padding alone.
        rows = -rows.double() if rows.shape[1] == 1 else rows == rows.min()
    keys: NDArray[np.float64] = rows.double().mean(1).cpu().numpy()
    return keys


def cutter(source: SampleSource, indices: NDArray[np.int64]) -> Cut:
    """Cuts these samples of a source into parts, which a problem's own `collate` must make."""
    if isinstance(source, LoadedSamples) and source.has_collate:
        return source.cutter(indices)
    samples = source.pick(indices)
    return lambda start, stop, _: part(samples, start, stop)


def part(samples: Samples, start: int, stop: int) -> Samples:
    """Samples start…stop−1 of a batch, in the same form as the batch."""
    if isinstance(samples, Tensor):
        return samples[start:stop]
    if isinstance(samples, dict):
        return {name: part(each, start, stop) for name, each in samples.items()}
    if all(isinstance(each, str | bytes) for each in samples):
        return samples[start:stop]
    return [part(each, start, stop) for each in samples]
