"""Turns polylines into the dots of a braille canvas. Pure numpy, without a Python loop per dot.

Owns the geometry and the line algorithm. With at most one point a column of dots they are the very
dots that plotext 6.1 draws for `.lines()` with its braille marker and limits aligned to the edge
(its rescaling and its line are reproduced here, with its odd constants); with more, every column
covers exactly its lowest…highest value and is joined to its neighbours. Knows no colours.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.chart.scene.picture import Scale
from gdtui.chart.scene.polyline import Polyline

DOTS_X = 2
"""Columns of dots per cell."""
DOTS_Y = 4

Dots = NDArray[np.bool_]
"""A layer of the canvas, (rows of dots, columns of dots), with row 0 at the top."""

# plotext's rescale_element with the alignment "edge": what it leaves free at either end, in cells.
_FIRST_MARGIN = 1e-4 + 0.0016585662
_LAST_MARGIN = 1e-4 + 0.001516152
_FAR = 4096.0
"""Dots beyond the window at which a line is cut before it is sampled: plotext samples all of it,
which costs it seconds and gigabytes."""
_FARTHEST = 1e12
"""Dots beyond which the exact position of a point no longer matters; it must fit an integer."""
_BITS: Final = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint8)
"""Unicode's numbering of the dots in a braille cell."""


@dataclass(frozen=True, slots=True)
class _Points:
    """The finite entries of a polyline in dots (not yet rounded), y downwards."""

    x: Floats
    top: Floats
    bottom: Floats
    joined: NDArray[np.bool_]
    """Entry i continues the line from entry i − 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The dots of one polyline."""

    dots: Dots
    bits: NDArray[np.uint8]
    """The same dots, packed into cells."""
    above: Ints
    """Columns of dots with a value above the window."""
    below: Ints
    polyline: Polyline
    is_even: bool
    """Dense, whatever its last entry is, with every entry finite and in a column of its own."""


def place(
    values: Floats, scale: Scale, cells: int, dots: int, *, downwards: bool = False
) -> Floats:
    """Positions in dots along one axis of `cells` cells, as plotext places them.

    On a log axis, values that are not positive are infinitely low.
    """
    first, last = (scale.high, scale.low) if downwards else (scale.low, scale.high)
    if scale.log:
        first, last = np.log10(first), np.log10(last)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(values > 0, np.log10(values), np.where(values <= 0, -np.inf, np.nan))
    width = last - first
    with np.errstate(over="ignore", invalid="ignore"):
        fraction = (values - first) / width if width else np.full(values.shape, 0.5)
        cell = _FIRST_MARGIN + (cells - _FIRST_MARGIN - _LAST_MARGIN) * fraction
    result: Floats = cell * dots
    return result


def value_of(dot: float, scale: Scale, cells: int, dots: int) -> float:
    """The inverse of `place`, left to right."""
    fraction = (dot / dots - _FIRST_MARGIN) / (cells - _FIRST_MARGIN - _LAST_MARGIN)
    if scale.log:
        low, high = math.log10(scale.low), math.log10(scale.high)
        return float(10 ** (low + (high - low) * fraction))
    return scale.low + (scale.high - scale.low) * fraction


def place_one(
    value: float, scale: Scale, cells: int, dots: int, *, downwards: bool = False
) -> float:
    """Exactly the number that `place` gives for one value; only for a valid linear axis."""
    first, last = (scale.high, scale.low) if downwards else (scale.low, scale.high)
    fraction = (value - first) / (last - first)
    return (_FIRST_MARGIN + (cells - _FIRST_MARGIN - _LAST_MARGIN) * fraction) * dots


def rasterise(polyline: Polyline, x: Scale, y: Scale, width: int, height: int) -> Layer:
    """The dots of a polyline on a canvas of width × height cells."""
    dots = np.zeros((height * DOTS_Y, width * DOTS_X), np.bool_)
    points = _points(polyline, x, y, width, height)
    columns = np.floor(points.x).astype(np.int64)
    is_sparse = _is_sparse(points, columns)
    if is_sparse:
        _draw_points(dots, points.x, points.top)
        _draw_lines(dots, points.x, points.top, points.x, points.top, points.joined)
    else:
        points, columns = _by_column(points, columns)
        _draw_columns(dots, columns, points)
        _draw_links(dots, columns, points)
    is_range = points.top[:-1] != points.bottom[:-1]
    is_even = not is_sparse and columns.size == polyline.x.size and bool(is_range.any())
    return Layer(dots, pack(dots), *_off_scale(points, columns, dots.shape), polyline, is_even)


def pack(dots: Dots) -> NDArray[np.uint8]:
    """Dots to the low byte of their braille characters: (rows of cells, columns of cells)."""
    rows, columns = dots.shape[0] // DOTS_Y, dots.shape[1] // DOTS_X
    lit = np.bitwise_or.reduce(
        dots.view(np.uint8).reshape(rows, DOTS_Y, -1) * _weights(columns), axis=1
    )
    packed: NDArray[np.uint8] = lit[:, ::2] | lit[:, 1::2]
    return packed


@lru_cache(maxsize=64)
def _weights(columns: int) -> NDArray[np.uint8]:
    """The bits of one row of cells."""
    return np.tile(_BITS, columns)


def spots(polyline: Polyline, x: Scale, y: Scale, width: int, height: int) -> tuple[Ints, Ints]:
    """The cells (rows, columns) of single values that lie in the window."""
    points = _points(polyline, x, y, width, height)
    inside = (points.x >= 0) & (points.x < width * DOTS_X)
    inside &= (points.top >= 0) & (points.top < height * DOTS_Y)
    rows, columns = points.top[inside] // DOTS_Y, points.x[inside] // DOTS_X
    return rows.astype(np.int64), columns.astype(np.int64)


# --- From values to dots --------------------------------------------------------------------------


def _points(polyline: Polyline, x: Scale, y: Scale, width: int, height: int) -> _Points:
    finite = np.isfinite(polyline.x) & np.isfinite(polyline.low) & np.isfinite(polyline.high)
    gaps = np.cumsum(~finite)[finite]
    at = place(polyline.x[finite], x, width, DOTS_X)
    top = place(polyline.high[finite], y, height, DOTS_Y, downwards=True)
    bottom = place(polyline.low[finite], y, height, DOTS_Y, downwards=True)
    joined = np.zeros(gaps.size, np.bool_)
    joined[1:] = gaps[1:] == gaps[:-1]
    rows = height * DOTS_Y
    far_x = np.clip(at, -_FARTHEST, _FARTHEST)
    return _Points(far_x, np.clip(top, -1e9, 1e9), np.clip(bottom, -1e9, rows + 1e9), joined)


def _is_sparse(points: _Points, columns: Ints) -> bool:
    return bool(np.all(columns[1:] != columns[:-1]) and np.all(points.top == points.bottom))


def _by_column(points: _Points, columns: Ints) -> tuple[_Points, Ints]:
    """One entry per column of dots, from its highest to its lowest value."""
    begins = np.ones(columns.size, np.bool_)
    begins[1:] = columns[1:] != columns[:-1]
    starts = np.flatnonzero(begins)
    reduced = _Points(
        points.x[starts],
        np.minimum.reduceat(points.top, starts),
        np.maximum.reduceat(points.bottom, starts),
        points.joined[starts],
    )
    return reduced, columns[starts]


def _off_scale(points: _Points, columns: Ints, shape: tuple[int, ...]) -> tuple[Ints, Ints]:
    rows, width = shape
    seen = (columns >= 0) & (columns < width)
    return columns[seen & (points.top < 0)], columns[seen & (points.bottom >= rows)]


# --- Dense: a range a column ----------------------------------------------------------------------


def _draw_columns(dots: Dots, columns: Ints, points: _Points) -> None:
    rows, width = dots.shape
    seen = (columns >= 0) & (columns < width) & (points.top < rows) & (points.bottom >= 0)
    top, bottom = np.full(width, rows, np.int16), np.full(width, -1, np.int16)
    top[columns[seen]] = np.clip(np.floor(points.top[seen]), 0, rows - 1)
    bottom[columns[seen]] = np.clip(np.floor(points.bottom[seen]), 0, rows - 1)
    row = np.arange(rows, dtype=np.int16)[:, None]
    dots |= (row >= top) & (row <= bottom)


def _draw_links(dots: Dots, columns: Ints, points: _Points) -> None:
    """Lines between the nearest ends of consecutive ranges that do not touch."""
    top, bottom = points.top, points.bottom
    before = np.clip(top[1:], top[:-1], bottom[:-1])  # the end (or place) nearest to the next
    after = np.clip(before, top[1:], bottom[1:])
    before = np.clip(after, top[:-1], bottom[:-1])
    apart = (np.diff(columns) > 1) | (np.abs(np.floor(after) - np.floor(before)) > 1)
    x = columns + 0.5
    joined = points.joined[1:] & apart
    draw_segments(dots, x[:-1][joined], before[joined], x[1:][joined], after[joined], spare=1)


# --- Sparse: plotext's line -----------------------------------------------------------------------


def _draw_points(dots: Dots, x: Floats, y: Floats) -> None:
    rows, width = dots.shape
    seen = (x >= 0) & (x < width) & (y >= 0) & (y < rows)
    dots[y[seen].astype(np.int64), x[seen].astype(np.int64)] = True


def _draw_lines(
    dots: Dots, x0: Floats, y0: Floats, x1: Floats, y1: Floats, joined: NDArray[np.bool_]
) -> None:
    keep = joined[1:]
    draw_segments(dots, x0[:-1][keep], y0[:-1][keep], x1[1:][keep], y1[1:][keep])


def draw_segments(
    dots: Dots, x0: Floats, y0: Floats, x1: Floats, y1: Floats, spare: int = 0
) -> None:
    """Sample each segment at n even steps, where n is its length in dots along the longer side.

    plotext counts towards zero, so a segment that starts left of or above the window is one step
    short and may skip a dot; a spare step prevents that.
    """
    rows, width = dots.shape
    x0, y0, x1, y1 = _cut(x0, y0, x1, y1, (-_FAR, width + _FAR), (-_FAR, rows + _FAR))
    steps_x = np.abs(np.trunc(x1) - np.trunc(x0))
    steps_y = np.abs(np.trunc(y1) - np.trunc(y0))
    steps = np.maximum(np.maximum(steps_x, steps_y), 1) + spare
    enter, leave = _window(x0, y0, x1, y1, (0.0, width), (0.0, rows))
    first = np.maximum(np.floor(enter * steps), 0).astype(np.int64)
    last = np.minimum(np.ceil(leave * steps), steps).astype(np.int64)
    counts = np.maximum(last - first + 1, 0)
    owner = np.repeat(np.arange(counts.size), counts)
    ends = np.cumsum(counts)
    index = np.arange(owner.size) - (ends - counts)[owner] + first[owner]
    share = index * (1.0 / steps)[owner]
    _draw_points(
        dots,
        x0[owner] + (x1 - x0)[owner] * share,
        y0[owner] + (y1 - y0)[owner] * share,
    )


def _window(
    x0: Floats,
    y0: Floats,
    x1: Floats,
    y1: Floats,
    across: tuple[float, float],
    down: tuple[float, float],
) -> tuple[Floats, Floats]:
    """Entry and exit of each segment in a window, as shares of its length (Liang–Barsky)."""
    enter, leave = np.zeros(x0.size), np.ones(x0.size)
    for start, end, (low, high) in ((x0, x1, across), (y0, y1, down)):
        length = end - start
        flat = length == 0
        with np.errstate(divide="ignore", invalid="ignore"):
            a, b = (low - start) / length, (high - start) / length
        outside = flat & ((start < low) | (start >= high))
        near = np.where(flat, np.where(outside, 2.0, 0.0), np.minimum(a, b))
        far = np.where(flat, np.where(outside, -1.0, 1.0), np.maximum(a, b))
        enter, leave = np.maximum(enter, near), np.minimum(leave, far)
    return enter, leave


def _cut(
    x0: Floats,
    y0: Floats,
    x1: Floats,
    y1: Floats,
    across: tuple[float, float],
    down: tuple[float, float],
) -> tuple[Floats, Floats, Floats, Floats]:
    """Segments cut at a window far around the canvas; those that never reach it are dropped."""
    ends = ((x0, across), (x1, across), (y0, down), (y1, down))
    if all(np.all((at >= low) & (at <= high)) for at, (low, high) in ends):
        return x0, y0, x1, y1
    enter, leave = _window(x0, y0, x1, y1, across, down)
    met = enter <= leave
    x0, y0, x1, y1, enter, leave = (v[met] for v in (x0, y0, x1, y1, enter, leave))
    dx, dy = x1 - x0, y1 - y0
    starts, stops = enter > 0, leave < 1
    return (
        np.where(starts, x0 + dx * enter, x0),
        np.where(starts, y0 + dy * enter, y0),
        np.where(stops, x0 + dx * leave, x1),
        np.where(stops, y0 + dy * leave, y1),
    )
