"""Sums, minima and maxima over any ranges of batches, in time that hardly grows with their length.

Level 0 is the batches themselves, which the caller holds. Level 1 has one entry for 32 batches,
each further level one entry for 16 of the level below. A range is covered by as many entries of
high levels as fit, and by entries of lower levels at its two ends.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.history.storage.long_array import LongArray

Values = NDArray[Any]

BUCKET: Final = 32
"""Number of batches in an entry of level 1."""
_FACTOR: Final = 16
_SHORT: Final = 1 << 16
"""Number of batches up to which level 1 suffices: more levels would take more calls."""


class Pyramid:
    """A reduction of a history's complete buckets, in one or more columns, at all levels from 1."""

    def __init__(self, ufunc: np.ufunc, dtype: str, empty: float, columns: int = 1) -> None:
        self.ufunc = ufunc
        self.empty = empty
        """The result for an empty range."""
        self._dtype, self._columns = dtype, columns
        self._levels: list[LongArray] = []

    @property
    def nbytes(self) -> int:
        return sum(level.nbytes for level in self._levels)

    def append(self, buckets: Values) -> None:
        """Add the reductions of the next buckets (buckets, columns); update the levels above."""
        level = 0
        while len(buckets):
            if level == len(self._levels):
                self._levels.append(LongArray(self._dtype, self._columns))
            done = len(self._levels[level]) // _FACTOR
            self._levels[level].append(buckets)
            whole = len(self._levels[level]) // _FACTOR
            if whole == done:
                return
            groups = self._levels[level].since(done * _FACTOR, whole * _FACTOR)
            buckets = self.ufunc.reduce(groups.reshape(-1, _FACTOR, self._columns), axis=1)
            level += 1

    def reduce(self, cover: "Cover", batches: Callable[[Ints], Values], column: int = 0) -> Values:
        """The reduction of each range in a column; `batches` returns values of single batches."""
        result = np.full(cover.ranges, self.empty, np.float64)
        for piece in cover.pieces:
            if piece.level:
                taken = self._levels[piece.level - 1].take(piece.index)[:, column]
            else:
                taken = batches(piece.index)
            result[piece.owner] = self.ufunc(
                result[piece.owner], self.ufunc.reduceat(taken, piece.cuts)
            )
        return result

    def beyond(self, value: float, most: int, column: int = 0) -> Ints | None:
        """The buckets, ascending, whose reduction is above `value`, or below it for minima.

        Searches downwards: its time depends on how many there are, not on the length. None if there
        are more than about `most`.
        """
        found = np.empty(0, np.int64)
        for number in range(len(self._levels), 0, -1):
            level = self._levels[number - 1]
            above = len(self._levels[number]) if number < len(self._levels) else 0
            inside = (found[:, None] * _FACTOR + np.arange(_FACTOR)).ravel()
            found = np.concatenate((inside, np.arange(above * _FACTOR, len(level))))
            if found.size:
                taken = level.take(found)[:, column]
                is_beyond = taken < value if self.ufunc is np.minimum else taken > value
                found = found[is_beyond]
            if found.size > most:
                return None
        return found


@dataclass(frozen=True, slots=True)
class CoverPiece:
    """Entries of one level; the entries of each range are adjacent."""

    level: int
    index: Ints
    cuts: Ints
    """The indices at which the entries of the next range begin."""
    owner: Ints
    """The range to which the entries between two cuts belong; each range occurs once."""


@dataclass(frozen=True, slots=True)
class Cover:
    """Some ranges of batches, composed of entries of all levels."""

    ranges: int
    pieces: tuple[CoverPiece, ...]


def cover(start: Ints, stop: Ints) -> Cover:
    """The entries that make up the ranges start…stop−1, which must not be empty."""
    is_short = (stop - start).sum() <= _SHORT
    return Cover(len(start), tuple(_pieces(start, stop, top=1 if is_short else None)))


def _pieces(start: Ints, stop: Ints, top: int | None) -> Iterator[CoverPiece]:
    """The entries of levels up to `top`, or of as many as there are."""
    owner = np.arange(len(start))
    level = 0
    while len(owner):
        if level == top:
            yield from _piece(level, start, stop, owner)
            return
        factor = _FACTOR if level else BUCKET
        up_start, up_stop = -(-start // factor), stop // factor
        goes_up = up_start < up_stop
        head_stop = np.where(goes_up, up_start * factor, stop)
        tail_start = np.where(goes_up, up_stop * factor, stop)
        yield from _piece(level, start, head_stop, owner)
        yield from _piece(level, tail_start, stop, owner)
        start, stop, owner = up_start[goes_up], up_stop[goes_up], owner[goes_up]
        level += 1


def _piece(level: int, start: Ints, stop: Ints, owner: Ints) -> Iterator[CoverPiece]:
    some = start < stop
    if some.any():
        index, cuts = concatenated(start[some], stop[some])
        yield CoverPiece(level, index, cuts, owner[some])


def concatenated(start: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """All numbers of the ranges start…stop−1 (none empty), joined, and the start of each range."""
    lengths = stop - start
    cuts = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) + np.repeat(start - cuts, lengths), cuts


def counted_beyond(losses: NDArray[np.float32], limit: float, *, is_below: bool) -> int:
    """The number of finite losses below the limit, or above it, exactly."""
    with np.errstate(over="ignore"):
        nearest = np.float32(limit)
    if is_below:  # the losses below the limit are those below the next float32 that is not
        bound = np.nextafter(nearest, np.float32(np.inf)) if float(nearest) < limit else nearest
        count = np.count_nonzero(losses < bound) - np.count_nonzero(losses == -np.inf)
    else:
        bound = np.nextafter(nearest, np.float32(-np.inf)) if float(nearest) > limit else nearest
        count = np.count_nonzero(losses > bound) - np.count_nonzero(losses == np.inf)
    return max(int(count), 0)  # of an infinite limit, only infinities were counted


def all_beyond(pieces: Iterable[NDArray[np.float32]], low: float, high: float) -> tuple[int, int]:
    """The numbers of finite losses in all pieces below `low` and above `high`."""
    below = above = 0
    for piece in pieces:
        below += counted_beyond(piece, low, is_below=True)
        above += counted_beyond(piece, high, is_below=False)
    return below, above


def lows_highs(losses: NDArray[np.float32], starts: Ints) -> tuple[Floats, Floats]:
    """Lowest and highest of the losses from each start to the next; NaN without a finite one."""
    if not (finite := np.isfinite(losses)).all():
        losses = np.where(finite, losses, np.nan)
    low, high = np.fmin.reduceat(losses, starts), np.fmax.reduceat(losses, starts)
    return low.astype(np.float64), high.astype(np.float64)


def known(values: Floats, otherwise: float) -> Floats:
    """The values, with this one instead of gaps."""
    return np.where(np.isnan(values), otherwise, values)
