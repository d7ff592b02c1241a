"""Splits samples into training and held-out: pure index arithmetic, no torch or scikit-learn.

The seed of the run fixes the split, so that all variants train and validate on the same samples.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_SPLIT_STREAM: Final = (
    0x73706C6974  # "split": keeps these draws apart from every other use of the seed
)

_HALVINGS: Final = 50
_ROUNDING: Final = 1e-9

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
    """Indices as in `hold_out`, with every class held out in proportion, as far as that goes.

    From a class with k samples, round(k × share) are held out, but never all of them: the model
    would otherwise be tested on a class that it has never seen. If rounding many small classes
    moves the share of all by a sample or more, their largest remainders are held out instead.
    """
    generator = _generator(seed)
    train, held_out = [], []
    classes, sizes = np.unique(labels, return_counts=True)
    for label, count in zip(classes, _counts(sizes, share, generator), strict=True):
        members = generator.permutation(np.flatnonzero(labels == label))
        held_out.append(members[:count])
        train.append(members[count:])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(held_out))


def _counts(
    sizes: NDArray[np.int64], share: float, generator: np.random.Generator
) -> NDArray[np.int64]:
    """The number of samples to hold out of each class."""
    most = sizes - 1
    counts: NDArray[np.int64] = np.minimum(np.rint(sizes * share).astype(np.int64), most)
    wanted = min(round(sizes.sum() * share), int(most.sum()))
    if abs(sizes.sum() * share - counts.sum()) < 1:
        return counts
    exact = np.minimum(sizes * _raised(sizes, share, wanted), most)
    counts = np.floor(exact + _ROUNDING).astype(np.int64)
    order = generator.permutation(len(sizes))  # equal remainders are drawn
    order = order[np.argsort(-(exact - counts)[order], kind="stable")]
    order = order[(counts < most)[order]]
    counts[order[: max(wanted - int(counts.sum()), 0)]] += 1
    return counts


def _raised(sizes: NDArray[np.int64], share: float, wanted: int) -> float:
    """The share that holds out so many, since classes of one sample have none to hold out."""
    low, high = share, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if np.minimum(sizes * middle, sizes - 1).sum() < wanted:
            low = middle
        else:
            high = middle
    return high


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng([_SPLIT_STREAM, seed])


def _held_out(n: int, share: float) -> int:
    return min(max(round(n * share), 1), n - 1)


def _cut(order: Indices, held_out: int) -> tuple[Indices, Indices]:
    return np.sort(order[held_out:]), np.sort(order[:held_out])
