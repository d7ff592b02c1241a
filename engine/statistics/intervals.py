"""95% intervals in closed form, for a proportion and for a quotient.

Plain arithmetic, no numpy, no torch.
"""

import math
from typing import Final

Interval = tuple[float, float]
Covariance = tuple[float, float, float]
"""Covariance of two estimates: variance of the first, covariance, variance of the second."""

_Z: Final = 1.959963984540054
"""The 97.5% quantile of the normal distribution (statistics.NormalDist is off in the last digit).
"""


def wilson(count: int, n: int) -> Interval:
    """The score interval of the proportion `count` ÷ `n`: within 0…1, valid even for 0 and n of n.

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


def quotient_interval(
    top: float, bottom: float, covariance: Covariance, quantile: float
) -> Interval:
    """Fieller's interval for top ÷ bottom > 0: all q with (top − q·bottom)² ≤ t² × its variance.

    The upper end is infinite if `bottom` does not differ significantly from zero.
    """
    of_top, mixed, of_bottom = (quantile**2 * each for each in covariance)
    a, b, c = bottom**2 - of_bottom, top * bottom - mixed, top**2 - of_top
    discriminant = b * b - a * c
    if discriminant < 0:
        return 0.0, math.inf
    root = math.sqrt(discriminant)
    if a > 0 and bottom > 0:
        return max((b - root) / a, 0.0), (b + root) / a
    # The solutions are all q except those between the roots; the positive ones begin at
    # c ÷ (b + root).
    return (max(c / (b + root), 0.0) if b + root > 0 else 0.0), math.inf


def t_quantile(freedom: int) -> float:
    """The 97.5% quantile of Student's t (Abramowitz & Stegun 26.7.5); within 0.01 for 3 or more."""
    z = _Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / freedom**power for power, term in enumerate(terms, start=1)))
