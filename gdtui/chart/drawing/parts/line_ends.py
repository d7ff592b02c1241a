"""Writes at the end of each line what it is and its value, where no line is in the way."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.drawing.cells import Cells
from gdtui.chart.drawing.layers import Layers
from gdtui.chart.drawing.raster import DOTS_Y, place
from gdtui.chart.scene.layout import clean
from gdtui.chart.scene.picture import Picture, Scale

_APART: Final = 2
"""Cells between the end of a line and its text."""
_SCATTERED: Final = 4
"""Most texts that are written each near its own line."""
_FARTHEST: Final = 8
"""Rows that a text may be away from the end of its line."""

_End = tuple[int, float, int, str, str]
"""Row, negative value, column, text and colour of the end of a line."""


def draw(picture: Picture, cells: Cells, layers: Layers, taken: NDArray[np.bool_]) -> None:
    """Write the texts, the uppermost line's first, and add them to the cells that are taken."""
    ends: list[_End] = []
    for one in picture.series:
        text = clean(one.end)
        if not text or one.line.is_empty:
            continue
        bits = layers.line((one.label, "line"), one.line, picture, cells).bits
        drawn: NDArray[np.bool_] = np.logical_or.reduce(bits, axis=0)
        if drawn.any():
            column = drawn.size - 1 - int(drawn[::-1].argmax())
            last = float(one.line.high[-1]) if math.isnan(one.last) else one.last
            row = _end_row(bits[:, column] != 0, last, picture.y)
            ends.append((row, 0.0 if math.isnan(last) else -last, column, text, one.colour))
    ends.sort()
    if len(ends) <= _SCATTERED or not _stack(cells, ends, taken):
        above = np.full(taken.shape[1], -1)
        for row, _, column, text, colour in ends:
            _write(cells, row, column, text, colour, taken, above)


def _end_row(lit: NDArray[np.bool_], last: float, y: Scale) -> int:
    """The row in which a line ends: of those in its last column, the nearest to its last value."""
    rows = np.flatnonzero(lit)
    at = float(place(np.array([last]), y, lit.size, DOTS_Y, downwards=True)[0]) / DOTS_Y - 0.5
    return int(rows[0] if math.isnan(at) else rows[np.abs(rows - at).argmin()])


def _stack(cells: Cells, ends: list[_End], taken: NDArray[np.bool_]) -> bool:
    """Write the texts in the order of their lines, one below the other; False without room.

    Above the lines, else below them: near its own line, none of many would find a place.
    """
    height, width = taken.shape
    longest, count = max(len(text) for *_, text, _ in ends), len(ends)
    start = min(max(column for _, _, column, _, _ in ends) + _APART, width - longest)
    free = [not row.any() for row in taken[:, max(start - 1, 0) :]]
    tops = [top for top in range(height - count + 1) if all(free[top : top + count])]
    if start < 0 or not tops:
        return False
    middle = sum(row for row, *_ in ends) / count
    top = min(tops, key=lambda top: abs(top + (count - 1) / 2 - middle))
    for row, (*_, text, colour) in enumerate(ends, start=top):
        cells.write(row, start, text, colour)
        taken[row, start : start + len(text)] = True
    return True


def _write(
    cells: Cells,
    row: int,
    column: int,
    text: str,
    colour: str,
    taken: NDArray[np.bool_],
    above: NDArray[np.int64],
) -> None:
    """Write a text near the end of its line, or else over it; not above that of an upper line.

    `above`: the last row with a text, by column; -1 without one. It is updated, as is `taken`.
    """
    height, width = taken.shape
    beside = column + _APART
    start = beside if beside + len(text) <= width else max(width - len(text), 0)
    end = start + len(text)
    around = slice(max(start - 1, 0), end + 1)
    top = max(int(above[around].max()) + 1, row - _FARTHEST)
    nearby = sorted(range(top, min(row + _FARTHEST + 1, height)), key=lambda at: abs(at - row))
    rows = [at for at in nearby if not taken[at, around].any()]
    if not rows and row in nearby and _is_alone(cells, row, around, colour, taken):
        rows = [row]
    if rows and end <= width:
        cells.write(rows[0], start, text, colour)
        taken[rows[0], start:end], above[around] = True, rows[0]


def _is_alone(
    cells: Cells, row: int, columns: slice, colour: str, taken: NDArray[np.bool_]
) -> bool:
    """True if nothing of another colour is drawn there."""
    drawn = cells.inks[row, columns][taken[row, columns]]
    return bool((drawn == cells.ink(colour)).all())
