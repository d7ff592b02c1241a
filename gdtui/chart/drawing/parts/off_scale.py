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


def mark_points(
    picture: Picture, cells: Cells, points: Polyline, colour: str, taken: NDArray[np.bool_]
) -> None:
    """Mark the columns of single values beyond the axis."""
    is_beyond = (points.high > picture.y.high) | (points.low < picture.y.low)
    if not is_beyond.any():
        return
    columns = np.floor(place(points.x[is_beyond], picture.x, cells.width, 1))
    rows = place(points.high[is_beyond], picture.y, cells.height, 1, downwards=True)
    inside = (columns >= 0) & (columns < cells.width)
    ends = ((inside & (rows < 0), 0, ABOVE), (inside & (rows >= cells.height), -1, BELOW))
    for beyond, row, glyph in ends:
        at = columns[beyond].astype(np.int64)
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
