"""The simple noise scale with its interval, from gradients at weights that stand still.

Plain numpy on inner products of gradients: who takes the gradients, and when, is decided elsewhere.

The simple noise scale is B = tr(Σ) ÷ |G|², with G the gradient of the mean loss over all n training
samples and Σ the covariance of the gradients of single ones (McCandlish et al. 2018, "An Empirical
Model of Large-Batch Training", eq. 2.9). Batches much smaller than B are mostly noise, much larger
ones mostly repeat themselves. Both terms are estimated without bias from gradients at a small batch
size, b, and a big one, k × b (the paper's appendix A.1), here corrected for samples that are drawn
without replacement from a finite set.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.log.measurements import NoiseScale
from engine.statistics.intervals import quotient_interval, t_quantile

FEWEST: Final = 4
"""Batches that an estimate takes at least."""


def noise_scale(gradients: NDArray[np.floating], batch_size: int, n: int) -> NoiseScale:
    """Estimate the noise scale by the mean gradients of k disjoint batches, shape (k, parameters).

    All at the same weights, and the batches cut from a random order. ValueError below `FEWEST`
    batches.
    """
    rows = np.asarray(gradients, np.float64)
    return noise_scale_of_products(rows @ rows.T, batch_size, n)


def noise_scale_of_products(products: NDArray[np.float64], batch_size: int, n: int) -> NoiseScale:
    """The same from the k × k inner products of those gradients: all that the estimate depends on.

    The interval: delete-one jackknife for the variances of the estimates of tr(Σ) and |G|², the
    latter shrunk by the share of the data not seen (with all of it seen, G is known exactly), then
    Fieller's theorem for their quotient.
    """
    count = len(products)
    if count < FEWEST:
        raise ValueError(
            f"noise scale: needs the gradients of at least {FEWEST} batches, not of {count}"
        )
    squares, sums = np.diagonal(products), products.sum(axis=1)
    trace, squared = _estimates(squares.sum(), sums.sum(), count, batch_size, n)
    without = _estimates(  # each batch left out in turn, the others a sample of endless data
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
