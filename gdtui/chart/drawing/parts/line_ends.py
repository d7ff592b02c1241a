"""Writes at the end of each line what it is and its value, where no line is in the way."""

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.drawing.cells import Cells
from gdtui.chart.drawing.layers import Layers
from gdtui.chart.scene.layout import clean
from gdtui.chart.scene.picture import Picture

_APART: Final = 2
"""Cells between the end of a line and its text."""
_FARTHEST: Final = 8
"""Rows that a text may be away from the end of its line."""


def draw(picture: Picture, cells: Cells, layers: Layers, taken: NDArray[np.bool_]) -> None:
    """Write the texts, the uppermost line's first, and add them to the cells that are taken."""
    ends: list[tuple[int, int, str, str]] = []
    for one in picture.series:
        text = clean(one.end)
        if not text or one.line.is_empty:
            continue
        lit = layers.line((one.label, "line"), one.line, picture, cells).bits != 0
        columns = np.flatnonzero(lit.any(axis=0))
        if columns.size:
            column = int(columns[-1])
            ends.append((int(np.flatnonzero(lit[:, column])[0]), column, text, one.colour))
    for row, column, text, colour in sorted(ends):
        _write(cells, row, column, text, colour, taken)


def _write(
    cells: Cells, row: int, column: int, text: str, colour: str, taken: NDArray[np.bool_]
) -> None:
    height, width = taken.shape
    beside = column + _APART
    starts = [beside if beside + len(text) <= width else max(width - len(text), 0)]
    rows = sorted(range(row - _FARTHEST, row + _FARTHEST + 1), key=lambda at: abs(at - row))
    for at, start in product(rows, starts):
        end = start + len(text)
        around = slice(max(start - 1, 0), end + 1)
        if 0 <= at < height and end <= width and not taken[at, around].any():
            cells.write(at, start, text, colour)
            taken[at, start:end] = True
            return
