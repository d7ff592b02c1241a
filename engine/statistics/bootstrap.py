"""95% intervals by resampling: the bootstrap of a mean. No torch."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from engine.statistics.intervals import Interval

_RESAMPLES: Final = 10_000
_SEED: Final = 0x626F6F74  # "boot": the same values give the same interval


def bootstrap(values: Sequence[float]) -> Interval:
    """The percentile interval of the mean over 10,000 seeded resamples (Efron 1979).

    ValueError if there are no values, or if a value is not finite.
    """
    sample = np.asarray(values, np.float64)
    if sample.size == 0 or not np.isfinite(sample).all():
        raise ValueError("the bootstrap needs finite values")
    drawn = np.random.default_rng(_SEED).integers(sample.size, size=(_RESAMPLES, sample.size))
    low, high = np.quantile(sample[drawn].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)
