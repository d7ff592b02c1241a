"""Thins out a chart's single values, so that they do not hide the lines on which they lie."""

from collections.abc import Iterator
from itertools import count
from typing import Final

import numpy as np

from gdtui.chart.scene.arrays import Floats, Ints, median

_MOST: Final = 11
_MOST_EXPECTED: Final = 1e12
"""Values in a window, however far it reaches beyond those that are there."""
_FAR: Final = 0.25
"""A value sticks out if it is this share of the range away from the line through the others."""


def dozen(at: Floats, values: Floats, start: int, stop: int, width: float) -> Ints:
    """Indices in start…stop−1 of at most a dozen values along a window of this width.

    Every second, fifth or tenth … of all, so that the choice does not change as values arrive, and
    the one that sticks out most. `at` are the positions of all values, ascending.
    """
    if stop - start < 2:
        return np.arange(start, stop)
    apart = median(np.diff(at[max(start - 1, 0) : stop]))
    expected = max(stop - start, min(width / apart, _MOST_EXPECTED) if apart > 0 else 0.0)
    step = next(step for step in _steps() if expected <= _MOST * step)
    chosen = np.arange(-(-start // step) * step, stop, step)
    finite = chosen[np.isfinite(values[chosen])]
    if step == 1 or not finite.size:
        return chosen
    index = np.arange(start, stop)
    usual = np.interp(at[index], at[finite], values[finite])
    far = np.full(index.size, _FAR * np.ptp(values[finite]))
    far[index > finite[-1]] = np.abs(values[finite[-1]])  # these are on their way: by a factor of 2
    excess = np.nan_to_num(np.abs(values[index] - usual) - far, nan=0.0, posinf=0.0)
    farthest = int(excess.argmax())
    if excess[farthest] > 0 and index[farthest] not in chosen:
        place = np.searchsorted(chosen, index[farthest])
        chosen = np.insert(chosen, place, index[farthest])  # np.union1d would import numpy.ma
    return chosen


def _steps() -> Iterator[int]:
    for power in count():
        yield from (10**power, 2 * 10**power, 5 * 10**power)
