"""Thins out a chart's single values: the lowest and the highest of each group stay."""

import numpy as np

from gdtui.chart.scene.arrays import Floats, Ints


def outermost(values: Floats, start: int, stop: int, groups: int) -> Ints:
    """Indices in start…stop−1, ascending: all while few, else two of each of about `groups`.

    A group is a power of two of values and begins at a multiple of it, so that what is taken does
    not change as values come. One that is not finite is not taken where a finite one is there.
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
