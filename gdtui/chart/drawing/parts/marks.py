"""Draws upright lines: rules at the ends of epochs, marks and labels of changed settings."""

from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.drawing.cells import Cells
from gdtui.chart.drawing.raster import place
from gdtui.chart.scene.layout import clean
from gdtui.chart.scene.palette import blend
from gdtui.chart.scene.picture import Picture, Scale

MARK: Final = ord("┊")
SHARE: Final = 0.7
"""Share of a variant's colour in its marks."""
_LABEL_ROWS: Final = 4


def draw_rules(picture: Picture, cells: Cells, ink: str) -> None:
    """Draw the rules over the grid of the frame, behind everything else."""
    columns = [column for column in _columns(picture.rules, picture.x, cells.width) if column > 0]
    cells.characters[:, columns] = MARK
    cells.inks[:, columns] = cells.ink(ink)


def draw(picture: Picture, cells: Cells, background: str) -> None:
    """Draw the marks, without their labels."""
    for mark, column in zip(picture.marks, _columns_of_marks(picture, cells), strict=True):
        if column >= 0:
            cells.characters[:, column] = MARK
            cells.inks[:, column] = cells.ink(blend(mark.colour, background, SHARE))


def label(picture: Picture, cells: Cells, taken: NDArray[np.bool_]) -> None:
    """Draw each label next to its mark, near the top, where no line or other label is in the way.

    A label in the top row crosses no other mark; further labels of close marks go below it.
    """
    height, width = cells.characters.shape
    columns = _columns_of_marks(picture, cells)
    for number, (mark, column) in enumerate(zip(picture.marks, columns, strict=True)):
        text = clean(mark.label)
        if column < 0 or not text:
            continue
        sides = [column + 1, column - len(text)]
        if column in columns[number + 1 :]:
            sides.reverse()  # of two marks in one column, the earlier has its label on the left
        for row, start in product(range(min(_LABEL_ROWS, max(height // 3, 1))), sides):
            end = start + len(text)
            crossed = row == 0 and any(
                start - 1 <= other <= end for other in columns if other != column
            )
            around = slice(max(start - 1, 0), end + 1)
            if start >= 0 and end <= width and not crossed and not taken[row, around].any():
                cells.write(row, start, text, mark.colour)
                taken[row, start:end] = True
                break


def _columns_of_marks(picture: Picture, cells: Cells) -> list[int]:
    return _columns([mark.x for mark in picture.marks], picture.x, cells.width)


def _columns(positions: Sequence[float], x: Scale, width: int) -> list[int]:
    """The column of each position; −1 if it is outside."""
    if not positions:
        return []
    at = place(np.array(positions, np.float64), x, width, 1)
    return [int(c) if np.isfinite(c) and 0 <= c < width else -1 for c in at]
