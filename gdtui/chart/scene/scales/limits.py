"""Limits that an axis can have: finite, ordered, and positive on a logarithmic one."""

import math
from typing import Final

Range = tuple[float, float]

_LARGEST: Final = 1e200
SMALLEST: Final = 1e-100
"""Far beyond any float32 loss; closer to the limits of float64, steps lose their precision."""


def finite(value: float | None) -> float | None:
    """The value within what an axis can show; None if it is not finite."""
    if value is None or not math.isfinite(value):
        return None
    return 0.0 if abs(value) < SMALLEST else max(-_LARGEST, min(value, _LARGEST))


def ordered(low: float, high: float, spread: bool = True) -> Range:
    """Finite limits, low below high; an invalid limit is replaced by one near the other."""
    a, b = finite(low), finite(high)
    if a is None or b is None:
        a, b = (0.0, 1.0) if a is None and b is None else (a or b or 0.0, a or b or 0.0)
    a, b = min(a, b), max(a, b)
    if spread and b - a <= max(abs(a), abs(b)) * 1e-12:
        margin = abs(a) * 0.1 or 1.0
        return finite(a - margin) or 0.0, finite(b + margin) or 0.0
    return a, b


def positive(low: float, high: float) -> Range:
    """Limits of a logarithmic axis."""
    high = max(high, 1e3 * SMALLEST) if high > 0 else 1.0
    return max(low, SMALLEST) if 0 < low < high else high / 1e3, high
