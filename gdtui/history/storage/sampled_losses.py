"""A sample of the losses at several densities, for the quantiles of ranges of any length.

Level 0 is the losses themselves, which the caller holds. Each further level keeps one loss out of
four of the level below, at a place that varies from group to group, so that no period of the data
(a short last batch in every epoch) is always kept or always missed.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.history.storage.long_array import LongArray

_FACTOR: Final = 4
MOST: Final = 1_024
"""Most losses from which the quantiles of a range are taken: their ranks are then within 2%."""
_MIX: Final = 2_654_435_761
"""Knuth's multiplicative hash, which chooses the loss of a group."""


class SampledLosses:
    """Every fourth, sixteenth, … loss; grows by a third of a value per loss."""

    def __init__(self) -> None:
        self._levels: list[LongArray] = []

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return sum(level.nbytes for level in self._levels)

    def append(self, losses: NDArray[np.float32]) -> None:
        """Add the next losses, whose number is a multiple of four."""
        below: NDArray[np.float32] = losses
        level = 0
        while len(below):
            if level == len(self._levels):
                self._levels.append(LongArray("f4"))
            kept = self._levels[level]
            groups = below.reshape(-1, _FACTOR)
            number = len(kept) + np.arange(len(groups))
            kept.append(groups[np.arange(len(groups)), number * _MIX >> 16 & _FACTOR - 1])
            level += 1
            done = len(self._levels[level]) if level < len(self._levels) else 0
            below = kept.since(done * _FACTOR)
            below = below[: len(below) // _FACTOR * _FACTOR]

    def quantiles(
        self, start: Ints, stop: Ints, shares: tuple[float, ...], raw: Callable[[Ints], Floats]
    ) -> Floats:
        """The quantiles of each range start…stop−1, (shares, ranges); NaN without finite losses.

        `raw` returns the losses of single batches.
        """
        level = np.zeros(len(start), np.int64)
        while (wide := (stop - start) >> 2 * level > MOST).any():
            level += wide
        result = np.full((len(shares), len(start)), np.nan)
        for one in sorted({*level.tolist()}):  # np.unique would import numpy.ma
            chosen = np.flatnonzero(level == one)
            step = _FACTOR**one
            first, last = -(-start[chosen] // step), stop[chosen] // step
            if one:
                last = np.minimum(last, len(self._levels[one - 1]))
            some = first < last
            if some.any():
                take = raw if not one else self._levels[one - 1].take
                result[:, chosen[some]] = _quantiles(first[some], last[some], shares, take)
        return result


def _quantiles(
    start: Ints, stop: Ints, shares: tuple[float, ...], take: Callable[[Ints], NDArray[np.floating]]
) -> Floats:
    lengths = stop - start
    place = np.arange(int(lengths.max()))
    index = start[:, None] + np.minimum(place, lengths[:, None] - 1)
    rows = np.sort(np.where(place < lengths[:, None], take(index), np.nan).astype(np.float32))
    counts = np.isfinite(rows).sum(axis=1)
    ends = np.maximum(counts - 1, 0)
    third = 1 / 3  # median-unbiased, Hyndman & Fan 1996, definition 8: a column may have few losses
    ranks = np.clip((counts + third) * np.array(shares)[:, None] + third - 1, 0, ends)
    low = ranks.astype(np.int64)
    each = np.arange(len(rows))
    below, above = rows[each, low], rows[each, np.minimum(low + 1, ends)]
    found: Floats = below + (above - below).astype(np.float64) * (ranks - low)
    return np.where(counts > 0, found, np.nan)
