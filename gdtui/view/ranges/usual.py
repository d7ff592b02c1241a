"""The range of losses that a chart should show: what batches usually reach, without strays. Pure.

A chart holds its lines, their starts, their bands, and what batches reach in most columns. It also
holds the extremes of the other columns but those of a few that go far beyond their neighbours: a
spike then stands as a mark at the edge, and the axis does not follow it. Where batches are not
drawn, their extremes widen the axis by a quarter at most, or the lines would fill half of it. A
line that follows a spike is cut off as well.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from gdtui.chart.scene.arrays import Floats, median
from gdtui.chart.scene.polyline import Polyline
from gdtui.view.x_range import XRange

Limits = tuple[float, float]

PARTS: Final = 128
"""Columns in which the extremes of a window are sought, whatever the size of the chart."""
_STRAYS: Final = 2
"""Columns that may go beyond the axis at either end."""
_FEW: Final = 8
"""Values in a window of which a line is seen that comes from beside it."""
_EARLY: Final = 6
"""Columns of many batches below which nothing is usual; the lines then make the range."""
_SPARE: Final = 0.25
"""An axis also holds strays that go beyond the others by less than this share of the range."""
_OUT_OF_PROPORTION: Final = 10.0
_MOST_EXPONENT: Final = 308.0
"""Largest exponent of a limit: ten to the power of the largest float's logarithm may overflow."""
_FARTHEST: Final = 1.0
"""Nothing beyond the usual range by more than this multiple of it is held…"""
_FAR: Final = 0.25
"""…and no loss of a batch by more than this one, if batches are not drawn."""


def usual_range(
    raw: Sequence[Polyline],
    lines: Sequence[Polyline],
    seen: XRange,
    *,
    log: bool,
    points: Sequence[Polyline] = (),
    draws_batches: bool = True,
) -> Limits | None:
    """The range for raw losses, lines and single points in a window; None without any line.

    Points are few and measured on purpose: all are held that are not out of all proportion.
    `draws_batches`: false for a chart that only marks the losses of batches beyond its axis. Where
    there are so few that each is a column, it holds them all the same.
    """
    of_batches = [each for line in raw if (each := _inside(line, seen, log=log)) is not None]
    if lines and all(_is_early(*pair) for pair in of_batches):
        of_batches = []
    of_lines = [each for line in lines if (each := _inside(line, seen, log=log)) is not None]
    if not of_batches and not of_lines:
        return None
    single = [each for line in points if (each := _inside(line, seen, log=log)) is not None]
    body = [_middle(*pair) for pair in of_batches or of_lines]
    body += [(float(low[0]), float(low[0])) for low, _ in (*of_lines, *single)]
    low, high = min(each[0] for each in body), max(each[1] for each in body)
    room = high - low
    if not of_batches:  # of few batches, the lines alone say little of what is usual
        room = max(room, 0.3 if log else abs(high) / 2)
    room = room or 1.0
    bottom, top = _held(low, high, of_lines, _FARTHEST * room)
    if draws_batches or not any((one != other).any() for one, other in of_batches):
        ends = _held(low, high, of_batches, _FARTHEST * room)
    else:
        ends = _held(bottom, top, of_batches, _FAR * (top - bottom))
    bottom, top = min(bottom, ends[0]), max(top, ends[1])
    values = np.concatenate([np.empty(0), *(low for low, _ in single)])
    held = values[np.abs(values - (low + high) / 2) <= _OUT_OF_PROPORTION * room]
    if held.size:
        bottom, top = min(bottom, float(held.min())), max(top, float(held.max()))
    return (10**bottom, 10 ** min(top, _MOST_EXPONENT)) if log else (bottom, top)


def _held(low: float, high: float, pairs: Sequence[tuple[Floats, Floats]], far: float) -> Limits:
    """The range, widened by at most `far` at either end to hold what these reach."""
    wanted = [_reached(*pair) for pair in pairs]
    return (
        min([low, *(max(each[0], low - far) for each in wanted)]),
        max([high, *(min(each[1], high + far) for each in wanted)]),
    )


def strays(raw: Polyline) -> Polyline:
    """The extremes of the columns that go far beyond the others, as single points."""
    known = np.isfinite(raw.low) & np.isfinite(raw.high)
    x, low, high = raw.x[known], raw.low[known], raw.high[known]
    if x.size <= 2 * _STRAYS:
        return Polyline(x[:0], x[:0], x[:0])
    bottom, top = _nearly_lowest(low), _nearly_highest(high)
    spare = _SPARE * (top - bottom)
    chosen = [(x[high > top + spare], high[high > top + spare])]
    chosen.append((x[low < bottom - spare], low[low < bottom - spare]))
    at, values = (np.concatenate(each) for each in zip(*chosen, strict=True))
    order = np.argsort(at, kind="stable")
    apart = np.full(2 * at.size, math.nan)
    apart[::2] = values[order]
    return Polyline(np.repeat(at[order], 2), apart, apart)


def _inside(line: Polyline, seen: XRange, *, log: bool) -> tuple[Floats, Floats] | None:
    """The values in the window; of few, also those of the line where it crosses the edges."""
    known = np.isfinite(line.low) & np.isfinite(line.high)
    known &= (line.low > 0) | (not log)
    x, low, high = line.x[known], line.low[known], line.high[known]
    if log:
        low, high = np.log10(low), np.log10(high)
    inside = (x >= seen.low) & (x <= seen.high)
    if inside.sum() <= _FEW and x.size:
        edges = np.array([seen.low, seen.high])
        edges = edges[(edges > x[0]) & (edges < x[-1])]
        low = np.concatenate((np.interp(edges, x, low), low[inside]))
        high = np.concatenate((np.interp(edges, x, high), high[inside]))
    else:
        low, high = low[inside], high[inside]
    return (low, high) if low.size else None


def _is_early(low: Floats, high: Floats) -> bool:
    """True for columns too few to tell what is usual, if they have several batches each."""
    return low.size < _EARLY and bool((low != high).any())


def _middle(low: Floats, high: Floats) -> Limits:
    return median(low), median(high)


def _reached(low: Floats, high: Floats) -> Limits:
    """The reach of all columns or, if the outermost go far beyond the others, of these."""
    bottom, top = _nearly_lowest(low), _nearly_highest(high)
    spare = _SPARE * (top - bottom)
    lowest, highest = float(low.min()), float(high.max())
    return (
        lowest if lowest >= bottom - spare else bottom,
        highest if highest <= top + spare else top,
    )


def _nearly_highest(values: Floats) -> float:
    """The highest but for a few; of few values, their median."""
    rank = max(values.size - 1 - _STRAYS, values.size // 2)
    return float(np.partition(values, rank)[rank])


def _nearly_lowest(values: Floats) -> float:
    return -_nearly_highest(-values)


def joined(found: Sequence[Limits | None]) -> tuple[float | None, float | None]:
    """The range that holds all of these; None, None if there are none."""
    known = [each for each in found if each is not None]
    if not known:
        return None, None
    return min(low for low, _ in known), max(high for _, high in known)
