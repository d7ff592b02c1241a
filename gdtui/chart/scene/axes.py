"""Ranges, ticks and labels of an axis: pure arithmetic, so that nothing on a chart jitters.

Determines how an axis grows with its data, and its ticks. Must not draw or keep state: the caller
holds the visible range and passes it back in.
"""

import math
from dataclasses import replace
from functools import lru_cache

from gdtui.chart.scene.picture import Scale
from gdtui.chart.scene.scales.limits import SMALLEST, Range, finite, ordered, positive
from gdtui.chart.scene.scales.rows import aligned
from gdtui.chart.scene.scales.ticks import nice_step, nice_ticks

_LADDER = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_ZERO_SHARE = 0.4
"""A linear axis starts at 0 if its lowest value is below this share of the highest."""
_SHRINK_SHARE = 0.8
"""The range only shrinks if this share of it would suffice."""
_FLAT_SHARE = 1e-6
"""A loss that varies by less counts as constant: this is roughly float32 precision."""
_CELLS_A_TICK_X = 10
_GAP_X = 4
"""Fewest cells between two labels."""


# --- Ranges ---------------------------------------------------------------------------------------


def grow(previous_high: float | None, data_high: float | None) -> float:
    """The end of an x axis: it stays if the data fit, else becomes the next step above them."""
    previous = finite(previous_high) or 0.0
    data = finite(data_high) or 0.0
    if data <= 0 or data <= previous:
        return previous if previous > 0 else 1.0
    data = max(data, SMALLEST)
    power = 10.0 ** math.floor(math.log10(data))
    return next((m * power for m in _LADDER if m * power >= data * (1 - 1e-12)), 10 * power)


def settle(
    previous: Range | None, data_low: float | None, data_high: float | None, log: bool = False
) -> Range:
    """The y range for these data, with hysteresis.

    An end moves outwards as soon as the data exceed it; the range only shrinks if a fifth of it
    is not needed. Without data that the axis can show, it stays the same.
    """
    low, high = finite(data_low), finite(data_high)
    if log:
        high = high if high is not None and high > 0 else None
        low = low if low is not None and low > 0 else high
    if low is None or high is None:
        return previous or ((0.1, 1.0) if log else (0.0, 1.0))
    low, high = ordered(low, high, spread=False)
    wanted = _round_log(low, high) if log else _round_linear(low, high)
    if previous is None or (log and previous[0] <= 0):
        return wanted
    if _span(wanted, log) <= _SHRINK_SHARE * _span(previous, log):
        return wanted
    return (
        wanted[0] if low < previous[0] else previous[0],
        wanted[1] if high > previous[1] else previous[1],
    )


def _round_linear(low: float, high: float) -> Range:
    if 0 <= low < _ZERO_SHARE * high:
        low = 0.0
    if high - low <= _FLAT_SHARE * max(abs(low), abs(high)):
        low, high = (low * 0.9, high * 1.1) if low > 0 else (low * 1.1, high * 0.9 or 1.0)
    margin = (high - low) * 0.03
    floor = low if low == 0 else low - margin
    step = nice_step((high + margin - floor) / 32)
    digits = 12 - math.floor(math.log10(step))
    return (
        round(math.floor(floor / step + 1e-9) * step, digits),
        round(math.ceil((high + margin) / step - 1e-9) * step, digits),
    )


def _round_log(low: float, high: float) -> Range:
    """The limits, rounded outwards to 1, 2 or 5 × 10ⁿ."""
    low, high = positive(low, high)
    below, above = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.floor(math.log10(high))
    bottom = max(m * below for m in (1.0, 2.0, 5.0) if m == 1 or m * below <= low)
    top = next((m * above for m in (1.0, 2.0, 5.0) if m * above >= high), 10 * above)
    return (bottom, top) if top > bottom else (bottom / 2, top * 2)


def _span(limits: Range, log: bool) -> float:
    return math.log10(limits[1] / limits[0]) if log else limits[1] - limits[0]


# --- Scales ---------------------------------------------------------------------------------------


def drawable(scale: Scale) -> Scale:
    """The scale itself, or a drawable one: finite, low below high, positive if logarithmic."""
    low, high = ordered(scale.low, scale.high)
    if scale.log:
        low, high = positive(low, high)
    if (low, high) == (scale.low, scale.high):
        return scale
    return replace(scale, low=low, high=high)


@lru_cache(maxsize=64)
def x_scale(high: float, cells: int, title: str = "", low: float = 0.0) -> Scale:
    """The x axis low…high over `cells` columns of the canvas; invalid limits are replaced.

    It has no ticks while it is empty: nothing is known yet of where the data will end.
    """
    is_empty = low == high
    low, high = ordered(low, high)
    if is_empty:
        return Scale(low, high, (), title)
    ticks = nice_ticks(low, high, max(cells // _CELLS_A_TICK_X, 2))
    needed = max((len(text) for _, text in ticks), default=0) + _GAP_X
    if needed > _CELLS_A_TICK_X:
        ticks = nice_ticks(low, high, max(cells // needed, 2))
    return Scale(low, high, ticks, title)


@lru_cache(maxsize=64)
def y_scale(limits: Range, cells: int, title: str = "", log: bool = False) -> Scale:
    """A y axis that holds these limits over `cells` rows, its ticks at equal distances.

    A log axis is clipped to positive values.
    """
    scale = drawable(Scale(*limits, title=title, log=log))
    low, high, ticks = aligned(scale.low, scale.high, cells, log=log)
    return Scale(low, high, ticks, title, log)
