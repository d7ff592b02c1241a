"""Searches in the table of all segments, one row each, as `SettingsSegment.row` makes them."""

from collections.abc import Callable

import numpy as np

from gdtui.chart.scene.arrays import Bools, Floats, Ints
from gdtui.history.settings_segment import ENDLESS


def epoch_starts(rows: Ints, size: int, after: int, most: int) -> list[int]:
    """The batches from `after` on that begin an epoch, except the very first; at most `most`.

    `rows` are the rows of all segments, which have `size` batches in total.
    """
    starts: list[int] = []
    for place in range(int(np.searchsorted(rows[:, 0], after, "right")) - 1, len(rows)):
        first, period = int(rows[place, 0]), int(rows[place, 7])
        stop = int(rows[place + 1, 0]) if place + 1 < len(rows) else size
        if first >= after and place and _ends_epoch(rows[place - 1], rows[place]):
            starts.append(first)
        second = first + period * max(1, -((first - after) // period))
        starts += range(second, min(stop, second + most * period), period)
        if len(starts) >= most:
            break
    return starts[:most]


def _ends_epoch(before: Ints, row: Ints) -> bool:
    """True if the last batch of the previous segment and the first of this differ in epoch."""
    return bool(before[4] + (row[0] - 1 - before[0]) // before[7] != row[4])


def stretch_kinds(table: Ints, starts: Ints, length: int, size: int) -> Ints:
    """A number for each stretch of batches; those with the same number have equal sizes.

    `table` has the rows of all segments, which have `size` batches in total.
    """
    firsts = table[:, 0]
    segment = np.searchsorted(firsts, starts, "right") - 1
    period = table[segment, 7]
    place = (starts - firsts[segment]) % period
    from_end = period - place  # its last batch, which may be short, is the one at 1
    kinds = segment * (2 * length + 1)
    kinds += np.where(from_end > length, 0, np.minimum(period, length) - from_end + 1)
    is_apart = np.searchsorted(firsts, starts + length, "right") - 1 != segment
    is_apart |= starts + length >= size  # the last batch is as long as the end says
    kinds[is_apart] = -1 - np.flatnonzero(is_apart)
    return kinds


def evenly(table: Ints, index: Ints, size: int, end: int, most: float) -> Floats:
    """The samples before batches, if those missing after a segment pass during its batches.

    At most `most` of them pass during a batch. `end`: the samples after the last of `size` batches.
    """
    firsts, begins = np.append(table[:, 0], size), np.append(table[:, 1], end)
    counts = np.diff(firsts)
    passed = np.cumsum(np.minimum(np.diff(begins) / counts, most) * counts)
    before: Floats = np.interp(index, firsts, np.concatenate(([0.0], passed)))
    return before


def likely_batches(table: Ints, position: Floats, *, is_samples: bool) -> Ints:
    """An estimate of the first batch at or after each position in samples, or else in updates.

    `table` has the rows of all segments.
    """
    column, period = (1, 8) if is_samples else (2, 9)
    rows, after = table.T, np.array([ENDLESS])
    if len(table) > 1:
        place = np.maximum(np.searchsorted(table[:, column], position, "right") - 1, 0)
        rows, after = table[place].T, np.append(table[1:, 0], ENDLESS)[place]
    beyond = np.maximum(position - rows[column], 0.0)
    epochs = np.floor(beyond / np.maximum(rows[period], 1)) * (rows[7] < ENDLESS)
    beyond = beyond - epochs * rows[period]
    batches = beyond / rows[5] if is_samples else beyond * rows[6] - rows[3]
    batches = np.minimum(np.ceil(batches), rows[7].astype(np.float64))
    likely = (rows[0] + epochs * rows[7] + batches).astype(np.int64)
    nearest: Ints = np.minimum(likely, after)  # batches may be missing after a segment
    return nearest


def bisected(count: int, size: int, has: Callable[[Ints], Bools]) -> Ints:
    """The first of `size` batches for which `has` is true, for each of `count` entries.

    `has` takes one batch for each entry, and stays true for later ones; `size` if it is for none.
    """
    low, high = np.zeros(count, np.int64), np.full(count, size)
    while (low < high).any():
        middle = (low + high) // 2
        found = has(middle)
        low, high = np.where(found | (low >= high), low, middle + 1), np.where(found, middle, high)
    return low
