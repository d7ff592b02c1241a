"""A y axis fitted to the rows of its canvas, so that its ticks are at equal distances.

A tick's value is at the middle of a row, and all ticks are the same number of rows apart. On a
linear axis they are multiples of 1, 2 or 5 × 10ⁿ. On a logarithmic one they are decades, or if
there are few of these, powers of two times one; on a narrow one, whatever the rows are, rounded.
"""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from gdtui.chart.scene.scales.ticks import Tick, label

_ROWS_A_TICK: Final = 4
"""Rows between ticks, if possible."""
_FEW: Final = 4
"""Rows below which one tick must do."""
_COST_OF_A_ROW: Final = 0.04
_MOST_DIGITS: Final = 6
_LOG_2: Final = math.log10(2)
_ROUNDING: Final = 1e-9


class _Grid(NamedTuple):
    """Rows of equal height (on a log axis, in decades), and a tick on every `pitch`th."""

    row: float
    pitch: int
    bottom: int
    """The number of rows from that of 0 (or 1, or of `base`) to the lowest."""
    base: float = 0.0


def aligned(
    low: float, high: float, rows: int, *, log: bool = False
) -> tuple[float, float, tuple[Tick, ...]]:
    """Limits that hold low…high, low below high, and ticks; `rows` may be 0."""
    rows = max(rows, 1)
    bounds = (math.log10(low), math.log10(high)) if log else (low, high)
    grids = [*_grids(*bounds, rows, log=log)]
    if not grids:
        return low, high, _rounded_ticks(*bounds, rows, log=log)
    best = min(grids, key=lambda grid: _cost(grid, bounds, rows))
    first = best.base + (best.bottom - 0.5) * best.row
    ticks = tuple(_ticks(best, rows, log=log))
    last = first + rows * best.row
    return (10**first, 10**last, ticks) if log else (first, last, ticks)


def _cost(grid: _Grid, bounds: tuple[float, float], rows: int) -> float:
    """The share of the axis that is not needed; ticks that are close or far are worse, too."""
    slack = 1 - (bounds[1] - bounds[0]) / (grid.row * rows)
    return slack + _COST_OF_A_ROW * abs(grid.pitch - _ROWS_A_TICK)


def _grids(low: float, high: float, rows: int, *, log: bool) -> Iterator[_Grid]:
    """Every grid with nice ticks that holds the limits, and is not much wider."""
    for step, base in _log_steps(low, high) if log else _linear_steps(low, high, rows):
        for pitch in _pitches(rows):
            row = step / pitch
            bottom = math.floor((low - base) / row + 0.5 + _ROUNDING)
            holds = base + (bottom - 0.5 + rows) * row >= high - _ROUNDING * row
            ticks = (bottom + rows - 1) // pitch - -(-bottom // pitch) + 1
            has_two = ticks >= 2 or pitch <= rows // 2 or rows < _FEW
            if holds and has_two and row * rows <= 2 * max(high - low, row):
                yield _Grid(row, pitch, bottom, base)


def _pitches(rows: int) -> range:
    """Rows between ticks; with more than half the rows, there may be fewer than two ticks."""
    return range(min(3, max(rows // 2, 1)), max(min(8, rows // 2 + 1), 1) + 1)


def _linear_steps(low: float, high: float, rows: int) -> Iterator[tuple[float, float]]:
    power = math.floor(math.log10((high - low) / rows))
    for exponent in range(power, power + 4):
        for mantissa in (1, 2, 5):
            yield mantissa * 10.0**exponent, 0.0


def _log_steps(low: float, high: float) -> Iterator[tuple[float, float]]:
    for decades in (1, 2, 5, 10, 20, 50, 100):
        if high - low >= decades:
            yield float(decades), 0.0
    if high - low < 2:
        yield _LOG_2, float(math.floor(high))


def _ticks(grid: _Grid, rows: int, *, log: bool) -> Iterator[Tick]:
    for number in range(-(-grid.bottom // grid.pitch), (grid.bottom + rows - 1) // grid.pitch + 1):
        at = grid.base + number * grid.pitch * grid.row
        if log:
            yield 10**at, short(10**at, 10 ** (at - grid.row / 3), 10 ** (at + grid.row / 3))
        else:
            step = grid.pitch * grid.row
            value = round(at, 12 - math.floor(math.log10(step)))
            yield value, label(value, step)


def _rounded_ticks(low: float, high: float, rows: int, *, log: bool) -> tuple[Tick, ...]:
    """Ticks on equal rows, with as few digits as tell their rows apart."""
    row = (high - low) / rows
    ticks = []
    for number in range(min(1, rows - 1), rows, min(_ROWS_A_TICK, max(rows - 2, 1))):
        at = low + (number + 0.5) * row
        ends = (at - row / 3, at, at + row / 3)
        below, value, above = (10**end for end in ends) if log else ends
        ticks.append((value, short(value, below, above)))
    return tuple(ticks)


def short(value: float, low: float, high: float) -> str:
    """The value with as few digits as keep it within low…high."""
    for digits in range(1, _MOST_DIGITS):
        rounded = float(f"{value:.{digits - 1}e}")
        if low <= rounded <= high:
            break
    else:
        rounded = value
    size = abs(rounded) or 1.0
    return label(rounded, 10.0 ** (math.floor(math.log10(size) + _ROUNDING) - digits + 1))
