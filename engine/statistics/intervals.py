"""95% intervals: Wilson's for counts, the bootstrap's for means. Pure arithmetic, no torch."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

Interval = tuple[float, float]

_Z: Final = 1.959963984540054
"""The 97.5% point of the normal distribution."""
_RESAMPLES: Final = 10_000
_SEED: Final = 0x626F6F74  # "boot": the same values give the same interval


def wilson(count: int, n: int) -> Interval:
    """The score interval of a share, `count` of `n`; stays inside 0…1 and is sound for 0 and n of n.

    Wilson 1927, JASA 22:209; recommended for small n by Brown, Cai & DasGupta 2001. ValueError
    unless 0 ≤ count ≤ n and n ≥ 1.
    """
    if not (n >= 1 and 0 <= count <= n):
        raise ValueError(f"{count} of {n}")
    share, z2 = count / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low = 0.0 if count == 0 else middle - half
    high = 1.0 if count == n else middle + half
    return low, high


def bootstrap(values: Sequence[float]) -> Interval:
    """The percentile interval of the mean over 10,000 seeded resamples (Efron 1979).

    ValueError without values, or with one that is not finite.
    """
    sample = np.asarray(values, np.float64)
    if sample.size == 0 or not np.isfinite(sample).all():
        raise ValueError("the bootstrap needs finite values")
    drawn = np.random.default_rng(_SEED).integers(sample.size, size=(_RESAMPLES, sample.size))
    low, high = np.quantile(sample[drawn].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)
