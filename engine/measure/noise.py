"""The simple noise scale with its interval, from gradients at fixed weights.

Plain numpy on inner products of gradients, which are computed elsewhere.

The simple noise scale is B = tr(Σ) ÷ |G|², with G the gradient of the mean loss over all n training
samples and Σ the covariance of single samples' gradients (McCandlish et al. 2018, "An Empirical
Model of Large-Batch Training", eq. 2.9). Batches much smaller than B are mostly noise; much larger
ones are mostly redundant. Both terms are estimated without bias from gradients at a small batch
size, b, and a big one, k × b (the paper's appendix A.1), corrected here for samples drawn without
replacement from a finite set.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.log.measurements import NoiseScale
from engine.statistics.intervals import quotient_interval, t_quantile

FEWEST: Final = 4
"""Fewest batches for an estimate."""


class GradientSums(NamedTuple):
    """Sums over the gradients g of k batches, which determine the estimate."""

    squares: NDArray[np.float64]
    """|g|² of each, (k,)."""
    with_sum: NDArray[np.float64]
    """g·Σg of each, (k,)."""


def noise_scale(gradients: NDArray[np.floating], batch_size: int, n: int) -> NoiseScale:
    """Estimate the noise scale from the mean gradients of k disjoint batches, (k, parameters).

    All gradients are at the same weights, and the batches are cut from a random order. Raises
    ValueError for fewer than `FEWEST` batches.
    """
    rows = np.asarray(gradients, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # the result counts them
        sums = GradientSums(squares=(rows * rows).sum(axis=1), with_sum=rows @ rows.sum(axis=0))
    return noise_scale_of_sums(sums, batch_size, n)


def noise_scale_of_sums(found: GradientSums, batch_size: int, n: int) -> NoiseScale:
    """Estimate the noise scale from sums over those gradients.

    The interval uses the delete-one jackknife for the variances of the estimates of tr(Σ) and |G|²,
    the latter shrunk by the share of the data not used (with all data used, G is known exactly),
    then Fieller's theorem for their quotient. With gradients that are not finite, all of it is NaN.
    """
    squares, sums = found
    count = len(squares)
    if count < FEWEST:
        raise ValueError(
            f"noise scale: needs the gradients of at least {FEWEST} batches, not of {count}"
        )
    if not (np.isfinite(squares).all() and np.isfinite(sums).all()):
        return _not_finite(squares, count * batch_size)
    trace, squared = _estimates(squares.sum(), sums.sum(), count, batch_size, n)
    without = _estimates(  # leave out each batch in turn, as if the data were infinite
        squares.sum() - squares, sums.sum() - 2 * sums + squares, count - 1, batch_size, math.inf
    )
    seen = min(count * batch_size / n, 1.0)
    shrink = np.sqrt([1.0, 1.0 - seen])
    deviations = [
        (part - part.mean()) * factor for part, factor in zip(without, shrink, strict=True)
    ]
    matrix = np.cov(deviations, ddof=0) * (count - 1)
    covariance = (float(matrix[0, 0]), float(matrix[0, 1]), float(matrix[1, 1]))
    low, high = quotient_interval(float(trace), float(squared), covariance, t_quantile(count - 1))
    return NoiseScale(
        value=float(trace / squared) if squared > 0 else math.inf,
        low=low,
        high=high,
        trace=float(trace),
        gradient_squared=float(squared),
        samples=count * batch_size,
        batches=count,
        covariance=covariance,
    )


def _not_finite(squares: NDArray[np.float64], samples: int) -> NoiseScale:
    """The result without a noise scale; it counts the gradients that are not finite.

    That count is 0 if only their sum overflows.
    """
    return NoiseScale(
        value=math.nan,
        low=math.nan,
        high=math.nan,
        trace=math.nan,
        gradient_squared=math.nan,
        samples=samples,
        batches=len(squares),
        not_finite=int((~np.isfinite(squares)).sum()),
    )


def _estimates(
    squares: NDArray[np.float64] | float,
    square_of_sum: NDArray[np.float64] | float,
    count: int,
    batch_size: int,
    n: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unbiased estimates of tr(Σ) and |G|² from Σ|g|² and |Σg|² of `count` batches of n samples."""
    trace = batch_size * np.maximum(squares - square_of_sum / count, 0.0) / (count - 1)
    squared = square_of_sum / count**2 - trace * (1 / (count * batch_size) - 1 / n)
    return np.asarray(trace), np.asarray(squared)
