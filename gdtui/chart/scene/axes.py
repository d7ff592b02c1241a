"""Ranges, ticks and labels of an axis: pure arithmetic, so that nothing on a chart jitters.

Determines how an axis grows with its data, and its ticks. Must not draw or keep state: the caller
holds the visible range and passes it back in.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from gdtui.chart.scene.picture import Scale

Tick = tuple[float, str]
Range = tuple[float, float]

_LADDER = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_LARGEST = 1e200
_SMALLEST = 1e-100
"""Far beyond any float32 loss; closer to the limits of float64, steps lose their precision."""
_ZERO_SHARE = 0.4
"""A linear axis starts at 0 if its lowest value is below this share of the highest."""
_SHRINK_SHARE = 0.5
"""The range only shrinks if this share of it would suffice."""
_FLAT_SHARE = 1e-6
"""A loss that varies by less counts as constant: this is roughly float32 precision."""
_CELLS_A_TICK_X = 10
_GAP_X = 4
"""Fewest cells between two labels."""
_CELLS_A_TICK_Y = 3
_CELLS_A_RULE = 6
MOST_RULES = 12
_SUFFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


# --- Ticks ----------------------------------------------------------------------------------------


def nice_ticks(low: float, high: float, count: int, log: bool = False) -> tuple[Tick, ...]:
    """Ticks with labels, about `count` (never many more), at 1, 2 or 5 × 10ⁿ in low…high.

    A log axis shows its decades, with 2 and 5 between them if there is room.
    """
    low, high = _ordered(low, high)
    count = max(count, 1)
    if not log:
        return _linear_ticks(low, high, count)
    return _log_ticks(*_positive(low, high), count)


def _linear_ticks(low: float, high: float, count: int) -> tuple[Tick, ...]:
    step = _nice_step((high - low) / count)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last - first > 4 * count:  # the range is too narrow for the precision of floats
        return ((low, label(low, high - low)),)
    values = [round(i * step, 12 - math.floor(math.log10(step))) for i in range(first, last + 1)]
    return tuple((value, label(value, step)) for value in values)


def _log_ticks(low: float, high: float, count: int) -> tuple[Tick, ...]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for mantissas in ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        ticks = [m * 10.0**k for k in range(first, last + 1) for m in mantissas]
        inside = [v for v in ticks if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]
        if len(inside) < 2:
            return _linear_ticks(low, high, count)
        if len(inside) <= max(count, 2):
            break
    stride = math.ceil(len(inside) / max(count, 2))
    return tuple((value, label(value, value)) for value in inside[::stride])


def _nice_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next((m * power for m in (1.0, 2.0, 5.0) if m * power >= rough * (1 - 1e-9)), 10 * power)


def label(value: float, step: float) -> str:
    """The value as a tick's label, with no more digits than ticks `step` apart need."""
    if value == 0 or abs(value) < abs(step) * 1e-9:
        return "0"
    size, step = abs(value), max(abs(step), _SMALLEST)
    if size >= 1e15 or size < 0.999e-3:
        return _exponential(value, step)
    for unit, suffix in _SUFFIXES:
        if size >= unit and (decimals := _decimals(step / unit)) <= 2:
            short = f"{value / unit:.{decimals}f}"
            return (short.rstrip("0").rstrip(".") if decimals else short) + suffix
    return f"{value:.{min(_decimals(step), 9)}f}"


def _decimals(step: float) -> int:
    return max(0, -math.floor(math.log10(step) + 1e-9))


def _exponential(value: float, step: float) -> str:
    exponent = math.floor(math.log10(abs(value)) + 1e-12)
    digits = min(max(0, exponent - math.floor(math.log10(step) + 1e-9)), 3)
    mantissa, _, power = f"{value:.{digits}e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.') if digits else mantissa}e{int(power)}"


def rules(positions: Sequence[float], low: float, high: float, cells: int) -> tuple[float, ...]:
    """The positions inside low…high, if they are few enough to be distinguishable; else none."""
    inside = tuple(each for each in positions if low < each <= high)
    return inside if len(inside) <= min(MOST_RULES, cells // _CELLS_A_RULE) else ()


def multiples(step: float, low: float, high: float, cells: int) -> tuple[float, ...]:
    """The multiples of `step` inside low…high, if they are few enough; else none."""
    if not step > 0 or not high - low <= step * (MOST_RULES + 1):
        return ()
    first = math.floor(low / step) + 1
    return rules([step * (first + i) for i in range(MOST_RULES + 2)], low, high, cells)


# --- Ranges ---------------------------------------------------------------------------------------


def grow(previous_high: float | None, data_high: float | None) -> float:
    """The end of an x axis: it stays if the data fit, else becomes the next step above them."""
    previous = _finite(previous_high) or 0.0
    data = _finite(data_high) or 0.0
    if data <= 0 or data <= previous:
        return previous if previous > 0 else 1.0
    data = max(data, _SMALLEST)
    power = 10.0 ** math.floor(math.log10(data))
    return next((m * power for m in _LADDER if m * power >= data * (1 - 1e-12)), 10 * power)


def settle(
    previous: Range | None, data_low: float | None, data_high: float | None, log: bool = False
) -> Range:
    """The y range for these data, with hysteresis.

    An end moves outwards as soon as the data exceed it; the range only shrinks if about half of it
    would hold the data. Without data that the axis can show, it stays the same.
    """
    low, high = _finite(data_low), _finite(data_high)
    if log:
        high = high if high is not None and high > 0 else None
        low = low if low is not None and low > 0 else high
    if low is None or high is None:
        return previous or ((0.1, 1.0) if log else (0.0, 1.0))
    low, high = _ordered(low, high, spread=False)
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
    step = _nice_step((high + margin - floor) / 8)
    digits = 12 - math.floor(math.log10(step))
    return (
        round(math.floor(floor / step + 1e-9) * step, digits),
        round(math.ceil((high + margin) / step - 1e-9) * step, digits),
    )


def _round_log(low: float, high: float) -> Range:
    """The limits, rounded outwards to 1, 2 or 5 × 10ⁿ."""
    low, high = _positive(low, high)
    below, above = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.floor(math.log10(high))
    bottom = max(m * below for m in (1.0, 2.0, 5.0) if m == 1 or m * below <= low)
    top = next((m * above for m in (1.0, 2.0, 5.0) if m * above >= high), 10 * above)
    return (bottom, top) if top > bottom else (bottom / 2, top * 2)


def _span(limits: Range, log: bool) -> float:
    return math.log10(limits[1] / limits[0]) if log else limits[1] - limits[0]


def _finite(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return 0.0 if abs(value) < _SMALLEST else max(-_LARGEST, min(value, _LARGEST))


def _ordered(low: float, high: float, spread: bool = True) -> Range:
    """Finite limits, low below high; an invalid limit is replaced by one near the other."""
    a, b = _finite(low), _finite(high)
    if a is None or b is None:
        a, b = (0.0, 1.0) if a is None and b is None else (a or b or 0.0, a or b or 0.0)
    a, b = min(a, b), max(a, b)
    if spread and b - a <= max(abs(a), abs(b)) * 1e-12:
        margin = abs(a) * 0.1 or 1.0
        return _finite(a - margin) or 0.0, _finite(b + margin) or 0.0
    return a, b


def _positive(low: float, high: float) -> Range:
    high = max(high, 1e3 * _SMALLEST) if high > 0 else 1.0
    return max(low, _SMALLEST) if 0 < low < high else high / 1e3, high


# --- Scales ---------------------------------------------------------------------------------------


def drawable(scale: Scale) -> Scale:
    """The scale itself, or a drawable one: finite, low below high, positive if logarithmic."""
    low, high = _ordered(scale.low, scale.high)
    if scale.log:
        low, high = _positive(low, high)
    if (low, high) == (scale.low, scale.high):
        return scale
    return replace(scale, low=low, high=high)


@lru_cache(maxsize=64)
def x_scale(high: float, cells: int, title: str = "", low: float = 0.0) -> Scale:
    """The x axis low…high over `cells` columns of the canvas; invalid limits are replaced."""
    low, high = _ordered(low, high)
    ticks = nice_ticks(low, high, max(cells // _CELLS_A_TICK_X, 2))
    needed = max((len(text) for _, text in ticks), default=0) + _GAP_X
    if needed > _CELLS_A_TICK_X:
        ticks = nice_ticks(low, high, max(cells // needed, 2))
    return Scale(low, high, ticks, title)


@lru_cache(maxsize=64)
def y_scale(limits: Range, cells: int, title: str = "", log: bool = False) -> Scale:
    """The y axis with these limits over `cells` rows; a log axis is clipped to positive values."""
    scale = drawable(Scale(*limits, title=title, log=log))
    ticks = nice_ticks(scale.low, scale.high, max(cells // _CELLS_A_TICK_Y, 2), log)
    return replace(scale, ticks=ticks)
