"""The simple noise scale of the gradient, with its interval, from gradients at weights that stand still.

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

from engine.log.measurements import NoiseScale as NoiseScale

FEWEST: Final = 4
"""Batches that an estimate takes at least."""

_Z: Final = 1.959963984540054
"""The 97.5% quantile of the normal distribution."""


def noise_scale(gradients: NDArray[np.floating], batch_size: int, n: int) -> NoiseScale:
    """From the mean gradients of k disjoint batches of `batch_size` of the n samples, shape (k, parameters).

    All at the same weights, and the batches cut from a random order. ValueError below `FEWEST` batches.
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
        raise ValueError(f"noise scale: gradients of at least {FEWEST} batches, not of {count}")
    squares, sums = np.diagonal(products), products.sum(axis=1)
    trace, squared = _estimates(squares.sum(), sums.sum(), count, batch_size, n)
    without = _estimates(  # each batch left out in turn, the others a sample of endless data
        squares.sum() - squares, sums.sum() - 2 * sums + squares, count - 1, batch_size, math.inf
    )
    seen = min(count * batch_size / n, 1.0)
    shrink = np.sqrt([1.0, 1.0 - seen])
    deviations = [(part - part.mean()) * factor for part, factor in zip(without, shrink, strict=True)]
    covariance = np.cov(deviations, ddof=0) * (count - 1)
    low, high = quotient_interval(float(trace), float(squared), covariance, t_quantile(count - 1))
    return NoiseScale(
        value=float(trace / squared) if squared > 0 else math.inf,
        low=low,
        high=high,
        trace=float(trace),
        gradient_squared=float(squared),
        samples=count * batch_size,
        batches=count,
        covariance=(float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])),
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


def quotient_interval(
    top: float, bottom: float, covariance: NDArray[np.float64], quantile: float
) -> tuple[float, float]:
    """Fieller's interval for top ÷ bottom, both above zero: the q with (top − q·bottom)² ≤ t²·its variance.

    Up to infinity where `bottom` does not differ from zero.
    """
    spread = (quantile**2 * covariance).tolist()
    a, b, c = bottom**2 - spread[1][1], top * bottom - spread[0][1], top**2 - spread[0][0]
    discriminant = b * b - a * c
    if discriminant < 0:
        return 0.0, math.inf
    root = math.sqrt(discriminant)
    if a > 0 and bottom > 0:
        return max((b - root) / a, 0.0), (b + root) / a
    # The set is all but a stretch between the roots; what of it is positive begins at c ÷ (b + root).
    return (max(c / (b + root), 0.0) if b + root > 0 else 0.0), math.inf


def t_quantile(freedom: int) -> float:
    """The 97.5% quantile of Student's t (Abramowitz & Stegun 26.7.5): to 0.01 from 3 degrees on."""
    z = _Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / freedom**power for power, term in enumerate(terms, start=1)))
