"""The cells that a band covers. Pure numpy.

The edges of a band are rounded to half a row, so that a cell is covered, half covered or free.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.drawing.raster import place
from gdtui.chart.scene.picture import Scale
from gdtui.chart.scene.polyline import Polyline

HALVES: Final = 2
_THINNEST: Final = 0.5
"""Halves of a row below which a band is not seen."""

Levels = NDArray[np.int8]
"""Halves of each cell that a band covers, (rows, columns)."""


def cover(band: Polyline, x: Scale, y: Scale, width: int, height: int) -> Levels:
    """The halves of each cell that a band covers; a column without an entry has none."""
    known = np.isfinite(band.low) & np.isfinite(band.high)
    columns = np.clip(place(band.x[known], x, width, 1), -1, width)
    columns = np.floor(np.nan_to_num(columns, nan=-1)).astype(np.int64)
    halves = height * HALVES
    top = np.clip(place(band.high[known], y, height, HALVES, downwards=True), -1, halves + 1)
    bottom = np.clip(place(band.low[known], y, height, HALVES, downwards=True), -1, halves + 1)
    first, last = np.rint(top), np.rint(bottom)
    thin = (first == last) & (bottom - top >= _THINNEST)
    first = np.where(thin, np.floor((top + bottom) / 2), first)
    last = np.where(thin, first + 1, last)
    inside = (columns >= 0) & (columns < width)
    starts, stops = np.zeros((2, width))
    starts[columns[inside]], stops[columns[inside]] = first[inside], last[inside]
    row = np.arange(halves)[:, None]
    lit = ((row >= starts) & (row < stops)).astype(np.int8)
    covered: Levels = lit[::2] + lit[1::2]
    return covered
