"""Splits samples into training and held-out: pure index arithmetic, no torch or scikit-learn.

The seed of the run fixes the split, so that all variants train and validate on the same samples.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_SPLIT_STREAM: Final = (
    0x73706C6974  # "split": keeps these draws apart from every other use of the seed
)

Indices = NDArray[np.int64]


def hold_out(n: int, share: float, seed: int) -> tuple[Indices, Indices]:
    """Indices of training and held-out samples, each ascending; round(n × share) are held out.

    If 0 < share < 1 and n ≥ 2, either part has at least one sample.
    """
    order = _generator(seed).permutation(n)
    return _cut(order, _held_out(n, share))


def hold_out_stratified(
    labels: NDArray[np.int64], share: float, seed: int
) -> tuple[Indices, Indices]:
    """Indices as in `hold_out`, with every class held out in proportion.

    From a class with k samples, round(k × share) are held out, but never all of them: the model
    would otherwise be tested on a class that it has never seen.
    """
    generator = _generator(seed)
    train, held_out = [], []
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        count = min(round(len(members) * share), len(members) - 1)
        held_out.append(members[:count])
        train.append(members[count:])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(held_out))


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng([_SPLIT_STREAM, seed])


def _held_out(n: int, share: float) -> int:
    return min(max(round(n * share), 1), n - 1)


def _cut(order: Indices, held_out: int) -> tuple[Indices, Indices]:
    return np.sort(order[held_out:]), np.sort(order[:held_out])
