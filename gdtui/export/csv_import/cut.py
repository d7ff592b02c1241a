"""Cuts a variant's batches into chunks whose headers reproduce every column to the last digit.

Batches of a chunk share generation, epoch and settings, and their seconds lie on a straight line.
Export writes seconds with nine decimals, so a line reproduces them if it is within half of the last
decimal of each. Rows that no line fits are cut in two.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.log.records import Chunk
from engine.log.records.chunk import packed
from gdtui.chart.scene.arrays import Bools, Floats, Ints
from gdtui.export.csv_import.fill import VariantRows

_CHUNK_BATCHES: Final = 4_096
_CHUNK_SECONDS: Final = 0.05
"""Most batches in a chunk: a replay shows whole chunks, and longer ones would look jerky."""
_MOST_SLICES: Final = 20_000
MOST_CHUNKS: Final = 200_000
"""Most chunks of a variant. If uneven seconds need more, they are made even over a few batches."""
MOST_LR_CHANGES: Final = 100
"""Most changes of lr that count as changes of settings; more of them are a schedule."""
_EVEN_BATCHES: Final = 32
_NANO: Final = 1e9
_HALF: Final = 0.49
"""Half of the last decimal, slightly reduced since the values of the line are rounded."""
_TRIES: Final = 20
_GOLDEN: Final = 0.618


@dataclass(frozen=True, slots=True)
class VariantChunks:
    """The chunks of a variant, in order, and a note on their seconds."""

    chunks: list[Chunk]
    is_even: bool
    """True if the seconds inside chunks were made even and differ from the rows."""


def cut_into_chunks(rows: VariantRows, most: int = MOST_CHUNKS) -> VariantChunks:
    """All batches in chunks; if that takes more than `most`, seconds are made even."""
    tail = _short_last(rows)
    edges = _edges(rows, tail)
    nanos = rows.seconds * _NANO
    bent = edges | _bends(nanos, edges)
    is_even = int(bent.sum()) > most and int(bent.sum()) > 2 * int(edges.sum())
    if is_even:
        edges[::_EVEN_BATCHES] = True
        starts = np.flatnonzero(edges)
        lines = _Lines(
            starts, np.diff(np.r_[starts, len(nanos)]), nanos[starts], np.zeros(len(starts))
        )
    else:
        starts = np.flatnonzero(bent)
        lines = _fitted(nanos, starts, np.diff(np.r_[starts, len(nanos)]))
    return VariantChunks(list(_chunks(rows, tail, lines, is_even)), is_even)


# --- Where a chunk must end -----------------------------------------------------------------------


def _changes(*columns: NDArray[Any]) -> Bools:
    """True at each row in which a column differs from the row before."""
    bad: Bools = np.r_[True, np.any([column[1:] != column[:-1] for column in columns], axis=0)]
    return bad


def _short_last(rows: VariantRows) -> Bools:
    """True at the short last batch of an epoch, which is not a change of the batch size."""
    begins = _changes(rows.generation, rows.epoch)
    is_last = np.r_[begins[1:], True]
    size = rows.batch_size
    short: Bools = ~begins & is_last & np.r_[False, size[1:] < size[:-1]]
    return short


def _edges(rows: VariantRows, tail: Bools) -> Bools:
    """True for batches that do not follow from the header of the previous chunk."""
    edges = _changes(rows.generation, rows.epoch, rows.accumulation_steps)
    other_lr = _changes(rows.lr)
    if other_lr.sum() > MOST_LR_CHANGES:  # a schedule: updates may differ within a chunk
        other_lr &= ~_changes(rows.generation, rows.update)
    edges |= other_lr
    edges |= _changes(rows.batch_size) & ~tail
    edges[1:] |= rows.samples[1:] != rows.samples[:-1] + rows.batch_size[:-1]
    in_update, steps = _in_update(rows), rows.accumulation_steps
    edges[1:] |= np.diff(rows.update) != (in_update[:-1] + 1 == steps[:-1])
    index = np.arange(len(edges))
    edges |= index % _CHUNK_BATCHES == 0
    tick = max(_CHUNK_SECONDS, float(rows.seconds.max()) / _MOST_SLICES)
    edges |= _changes(np.floor(rows.seconds / tick))
    return edges


def _in_update(rows: VariantRows) -> Ints:
    """For each batch, the number of earlier batches in the same update."""
    starts = np.flatnonzero(_changes(rows.generation, rows.update))
    index = np.arange(len(rows.update))
    within: Ints = index - np.repeat(starts, np.diff(np.r_[starts, len(index)]))
    return within % rows.accumulation_steps


def _bends(nanos: Floats, edges: Bools) -> Bools:
    """True if the rate of the seconds changes by more than the rounding of three values."""
    bends = np.zeros(len(nanos), bool)
    bent = np.abs(nanos[2:] - 2 * nanos[1:-1] + nanos[:-2]) > 2.5
    bends[1:-1] = bent & ~edges[1:-1] & ~edges[2:]
    return bends


# --- Seconds on lines -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Lines:
    """Stretches of rows, each with the line on which its seconds lie, in nanoseconds."""

    starts: Ints
    counts: Ints
    origins: Floats
    slopes: Floats


def _fitted(nanos: Floats, starts: Ints, counts: Ints) -> _Lines:
    """Lines through all rows; stretches are cut in two until each has a line."""
    done = [
        _Lines(
            starts[counts == 1],
            counts[counts == 1],
            nanos[starts[counts == 1]],
            np.zeros(int((counts == 1).sum())),
        )
    ]
    starts, counts = starts[counts > 1], counts[counts > 1]
    while len(starts):
        origins, slopes = _fit(nanos, starts, counts)
        fits = np.isfinite(slopes) | (counts == 1)
        slopes = np.nan_to_num(slopes)
        done.append(_Lines(starts[fits], counts[fits], origins[fits], slopes[fits]))
        starts, counts = starts[~fits], counts[~fits]
        half = counts // 2
        starts, counts = np.r_[starts, starts + half], np.r_[half, counts - half]
    parts = [np.concatenate([getattr(each, name) for each in done]) for name in _Lines.__slots__]
    order = np.argsort(parts[0])
    return _Lines(*(part[order] for part in parts))


def _fit(nanos: Floats, starts: Ints, counts: Ints) -> tuple[Floats, Floats]:
    """The origin and slope of a line for each stretch; NaN if no line was found.

    For a given origin, the rows allow an interval of slopes. Its width is a concave function of the
    origin, so a golden-section search finds an origin with a positive width if there is one.
    """
    first = nanos[starts]
    origins, slopes = first.copy(), np.full(len(starts), np.nan)
    low = np.maximum(-first, -_HALF)  # never before 0
    high = np.full(len(starts), _HALF)
    active = np.flatnonzero(counts > 1)
    for _ in range(_TRIES):
        if not len(active):
            break
        rows = _Rises(nanos, starts[active], counts[active])
        width = high[active] - low[active]
        left, right = high[active] - _GOLDEN * width, low[active] + _GOLDEN * width
        (slope_l, gap_l), (slope_r, gap_r) = rows.slopes(left), rows.slopes(right)
        is_left = gap_l > gap_r
        found = np.maximum(gap_l, gap_r) >= 0
        here = active[found]
        origins[here] = first[here] + np.where(is_left, left, right)[found]
        slopes[here] = np.where(is_left, slope_l, slope_r)[found]
        low[active], high[active] = (
            np.where(is_left, low[active], left),
            np.where(is_left, right, high[active]),
        )
        active = active[~found]
    return origins, slopes


class _Rises:
    """The slopes that the rows of some stretches allow for a line."""

    def __init__(self, nanos: Floats, starts: Ints, counts: Ints) -> None:
        self._each = counts - 1
        self._bounds = np.r_[0, np.cumsum(self._each)[:-1]]
        self._steps = np.arange(int(self._each.sum())) - np.repeat(self._bounds, self._each) + 1
        begin = np.repeat(starts, self._each)
        self._rise = nanos[begin + self._steps] - nanos[begin]

    def slopes(self, offsets: Floats) -> tuple[Floats, Floats]:
        """For lines with these offsets from the first rows, the middle slope and the width."""
        rise = self._rise - np.repeat(offsets, self._each)
        least = np.maximum.reduceat((rise - _HALF) / self._steps, self._bounds)
        most = np.minimum.reduceat((rise + _HALF) / self._steps, self._bounds)
        return (least + most) / 2, most - least


# --- Chunks ---------------------------------------------------------------------------------------


def _chunks(rows: VariantRows, tail: Bools, lines: _Lines, is_even: bool) -> Iterator[Chunk]:
    starts = lines.starts
    stops = starts + lines.counts
    nominal = np.where(tail, np.r_[0, rows.batch_size[:-1]], rows.batch_size)
    seconds = np.where(lines.counts > 1, lines.origins / _NANO, rows.seconds[starts])
    slopes = lines.slopes * lines.counts / _NANO
    durations = slopes if not is_even else np.zeros(len(starts))
    alone = (lines.counts == 1) | is_even
    durations = np.where(alone, _until_next(rows, starts), durations)
    columns = (rows.generation, rows.epoch, rows.batch, rows.update, _in_update(rows), rows.samples,
               nominal, rows.accumulation_steps)  # fmt: skip
    begins = _changes(rows.generation, rows.update)
    table = zip(
        starts.tolist(),
        stops.tolist(),
        seconds.tolist(),
        durations.tolist(),
        rows.batch_size[stops - 1].tolist(),
        *(column[starts].tolist() for column in columns),
        strict=True,
    )
    for (start, stop, second, duration, last, generation, epoch, batch, update, done, samples,
         size, steps) in table:  # fmt: skip
        yield Chunk(
            generation=generation,
            epoch=epoch,
            batch=batch,
            update=update,
            in_update=done,
            samples=samples,
            seconds=second,
            duration=duration,
            batch_size=size,
            last_batch_size=last,
            accumulation_steps=steps,
            lr=packed(rows.lr[start:stop][np.r_[True, begins[start + 1 : stop]]].tolist()),
            losses=rows.loss[start:stop].tobytes(),
        )


def _until_next(rows: VariantRows, starts: Ints) -> Floats:
    """Seconds from the start of each chunk to the start of the next.

    The last chunk of a generation takes the value of the chunk before it.
    """
    seconds = rows.seconds[starts]
    generation = rows.generation[starts]
    gaps: Floats = np.r_[np.diff(seconds), 0.0]
    is_last = np.r_[generation[1:] != generation[:-1], True]
    is_first = np.r_[True, is_last[:-1]]
    gaps[is_last] = np.where(is_first[is_last], 0.0, np.r_[0.0, gaps[:-1]][is_last])
    return gaps
