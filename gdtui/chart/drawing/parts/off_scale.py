"""Marks of what lies beyond the axis, and how many losses that are. Pure numpy."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.drawing.cells import Cells
from gdtui.chart.drawing.raster import DOTS_X, Layer, place
from gdtui.chart.scene.layout import clean
from gdtui.chart.scene.picture import Picture
from gdtui.chart.scene.polyline import Polyline

ABOVE, BELOW = (ord(character) for character in "▲▼")
_WIDEST: Final = 0.6
"""Share of the canvas that a text may take."""


def mark(cells: Cells, layer: Layer, colour: str, taken: NDArray[np.bool_]) -> None:
    """Mark the columns in which this layer leaves the axis."""
    for columns, row, glyph in ((layer.above, 0, ABOVE), (layer.below, -1, BELOW)):
        if columns.size:
            cells.characters[row, columns // DOTS_X] = glyph
            cells.inks[row, columns // DOTS_X] = cells.ink(colour)
            taken[row, columns // DOTS_X] = True


def mark_range(
    picture: Picture, cells: Cells, line: Polyline, colour: str, taken: NDArray[np.bool_]
) -> None:
    """Mark the columns in which these values, or ranges of values, go beyond the axis."""
    if line.is_empty:
        return
    ends = (
        (line.high, line.high > picture.y.high, 0, ABOVE),
        (line.low, line.low < picture.y.low, -1, BELOW),
    )
    for values, is_beyond, row, glyph in ends:
        if not is_beyond.any():
            continue
        columns = np.floor(place(line.x[is_beyond], picture.x, cells.width, 1))
        rows = place(values[is_beyond], picture.y, cells.height, 1, downwards=True)
        is_marked = (columns >= 0) & (columns < cells.width)
        is_marked &= (rows >= cells.height) if row else (rows < 0)
        at = columns[is_marked].astype(np.int64)
        cells.characters[row, at] = glyph
        cells.inks[row, at] = cells.ink(colour)
        taken[row, at] = True


def count(picture: Picture, cells: Cells, taken: NDArray[np.bool_]) -> None:
    """Write the counts beside a mark, the last one that has room for it."""
    for said, row, glyph in ((picture.above, 0, ABOVE), (picture.below, -1, BELOW)):
        text = clean(said)
        if text and len(text) + 3 <= _WIDEST * cells.width:
            _write(cells, taken, np.flatnonzero(cells.characters[row] == glyph), row, text)


def _write(
    cells: Cells, taken: NDArray[np.bool_], marks: NDArray[np.int64], row: int, text: str
) -> None:
    places = (
        (column, start)
        for column in marks[::-1].tolist()
        for start in (column + 2, column - 1 - len(text))
    )
    for column, start in places:
        end = start + len(text)
        around = taken[row, max(start, 0) : end].any()
        if start >= 0 and end <= cells.width and not around:
            cells.write(row, start, text, cells.palette[cells.inks[row, column]])
            taken[row, start:end] = True
            return
