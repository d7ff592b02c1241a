"""Extends a layer while its line is growing: redraws the last columns and keeps all others.

From frame to frame, a line changes in its last column and gains a few. These are placed and drawn
one by one in plain Python, since the hundred numpy calls for a whole line take ten times as long.
The dots are exactly those that the raster draws for the whole line; more complex cases are left to
the raster.
"""

import math
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.drawing.raster import DOTS_X, DOTS_Y, Layer, draw_segments, pack, place_one
from gdtui.chart.scene.arrays import Ints
from gdtui.chart.scene.picture import Scale
from gdtui.chart.scene.polyline import Polyline

_ANEW: Final = 2
"""Number of old entries drawn again: the last, and the entry in whose column its line began."""
_FAR: Final = 1e9
"""As in the raster: dots beyond which the exact position of a value no longer matters."""


class _Stroke(NamedTuple):
    """An entry: a column of dots, and its highest and lowest position."""

    column: int
    top: float
    bottom: float


def grown(before: Layer, polyline: Polyline, x: Scale, y: Scale) -> Layer | None:
    """The old layer extended by a polyline that continues it, on the same scales and canvas.

    None if everything must be redrawn: if the line is a different one, has gaps, has entries that
    are too close, or is on a logarithmic axis.
    """
    old = before.polyline.x.size
    if y.log or not before.is_even or old <= _ANEW or polyline.x.size < old:
        return None
    if not polyline.is_like(before.polyline, old - 1):
        return None
    strokes = _strokes(polyline, old - 1 - _ANEW, x, y, before)
    return _drawn(before, strokes, polyline) if strokes else None


def _strokes(polyline: Polyline, start: int, x: Scale, y: Scale, layer: Layer) -> list[_Stroke]:
    """The strokes of the last entries; empty if these are not simple."""
    height, width = layer.bits.shape
    strokes: list[_Stroke] = []
    for at, low, high in zip(
        *(part[start:].tolist() for part in (polyline.x, polyline.low, polyline.high)), strict=True
    ):
        if not math.isfinite(at + low + high):
            return []
        column = math.floor(_near(place_one(at, x, width, DOTS_X)))
        if strokes and column <= strokes[-1].column:
            return []
        top = _near(place_one(high, y, height, DOTS_Y, downwards=True))
        bottom = _near(place_one(low, y, height, DOTS_Y, downwards=True))
        strokes.append(_Stroke(column, top, bottom))
    return strokes


def _near(dot: float) -> float:
    return min(max(dot, -_FAR), _FAR)


def _drawn(before: Layer, strokes: list[_Stroke], polyline: Polyline) -> Layer:
    """Draw all strokes but the first, which is in the layer already."""
    rows, width = before.dots.shape
    first = min(max(strokes[1].column, 0), width)
    dots = before.dots.copy()
    dots[:, first:] = False
    for one in strokes[1:]:
        if 0 <= one.column < width and one.top < rows and one.bottom >= 0:
            dots[max(math.floor(one.top), 0) : math.floor(one.bottom) + 1, one.column] = True
    _link(dots, strokes)
    bits, cell = before.bits.copy(), first // DOTS_X
    bits[:, cell:] = pack(dots[:, cell * DOTS_X :])
    seen = [one for one in strokes[1:] if 0 <= one.column < width]
    return Layer(
        dots,
        bits,
        above=_followed(before.above, first, [one.column for one in seen if one.top < 0]),
        below=_followed(before.below, first, [one.column for one in seen if one.bottom >= rows]),
        polyline=polyline,
        is_even=before.is_even,
    )


def _link(dots: NDArray[np.bool_], strokes: list[_Stroke]) -> None:
    """Lines between the nearest ends of strokes that do not touch."""
    ends: list[tuple[float, float, float, float]] = []
    for one, other in pairwise(strokes):
        start = min(max(other.top, one.top), one.bottom)
        stop = min(max(start, other.top), other.bottom)
        start = min(max(stop, one.top), one.bottom)
        if other.column - one.column > 1 or abs(math.floor(stop) - math.floor(start)) > 1:
            ends.append((one.column + 0.5, start, other.column + 0.5, stop))
    if ends:
        x0, y0, x1, y1 = np.array(ends).T
        draw_segments(dots, x0, y0, x1, y1, spare=1)


def _followed(columns: Ints, first: int, new: list[int]) -> Ints:
    """The old columns before the first redrawn one, joined to the new columns."""
    if not columns.size and not new:
        return columns
    return np.concatenate((columns[columns < first], np.array(new, np.int64)))
