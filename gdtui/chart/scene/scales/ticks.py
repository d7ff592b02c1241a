"""Ticks of an axis, their labels, and the ends of epochs between them: pure arithmetic."""

import math
from collections.abc import Sequence
from typing import Final

from gdtui.chart.scene.scales.limits import SMALLEST, ordered, positive

Tick = tuple[float, str]

_CELLS_A_RULE: Final = 6
MOST_RULES: Final = 12
_SUFFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def nice_ticks(low: float, high: float, count: int, log: bool = False) -> tuple[Tick, ...]:
    """Ticks with labels, about `count` (never many more), at 1, 2 or 5 × 10ⁿ in low…high.

    A log axis shows its decades, with 2 and 5 between them if there is room.
    """
    low, high = ordered(low, high)
    count = max(count, 1)
    if not log:
        return _linear_ticks(low, high, count)
    return _log_ticks(*positive(low, high), count)


def _linear_ticks(low: float, high: float, count: int) -> tuple[Tick, ...]:
    step = nice_step((high - low) / count)
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


def nice_step(rough: float) -> float:
    """The next number of the kind 1, 2 or 5 × 10ⁿ."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next((m * power for m in (1.0, 2.0, 5.0) if m * power >= rough * (1 - 1e-9)), 10 * power)


def label(value: float, step: float) -> str:
    """The value as a tick's label, with no more digits than ticks `step` apart need."""
    if value == 0 or abs(value) < abs(step) * 1e-9:
        return "0"
    size, step = abs(value), max(abs(step), SMALLEST)
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
