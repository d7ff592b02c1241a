"""Thins out a chart's single values, keeping the lowest and the highest of each group."""

import numpy as np

from gdtui.chart.scene.arrays import Floats, Ints


def outermost(values: Floats, start: int, stop: int, groups: int) -> Ints:
    """Ascending indices in start…stop−1: all if few, else two from each of about `groups` groups.

    The size of a group is a power of two, and groups begin at multiples of it, so that the choice
    does not change as values arrive. Finite values are preferred to others.
    """
    size = 1 << max(0, -(-(stop - start) // max(groups, 1)) - 1).bit_length()
    if size <= 2:
        return np.arange(start, stop)
    cuts = np.arange(start - start % size, stop, size)
    index = np.arange(cuts[0], cuts[-1] + size)
    inside = (index >= start) & (index < stop)
    rows = values[np.clip(index, start, stop - 1)]
    counts = inside & np.isfinite(rows)
    lowest = np.where(counts, rows, np.inf).reshape(-1, size).argmin(axis=1)
    highest = np.where(counts, rows, -np.inf).reshape(-1, size).argmax(axis=1)
    return np.unique(np.clip(np.concatenate((cuts + lowest, cuts + highest)), start, stop - 1))
