"""Numbers along a line that identify the variants if colours do not suffice.

Their positions are columns of the canvas, so that numbers stay in place while a line grows; another
number is at its end.
"""

from typing import Final

import numpy as np

from gdtui.chart.drawing.cells import Cells
from gdtui.chart.drawing.raster import rasterise
from gdtui.chart.scene.layout import places
from gdtui.chart.scene.palette import blend
from gdtui.chart.scene.picture import Picture

_APART: Final = 1
"""Cells between the last number and the text at the end of the line."""


def draw(picture: Picture, cells: Cells, background: str, faint_share: float) -> None:
    """Write numbers over the lines of the series that have a number."""
    numbered = [one for one in picture.series if one.number and not one.line.is_empty]
    for turn, one in enumerate(numbered):
        lit = rasterise(one.line, picture.x, picture.y, cells.width, cells.height).bits != 0
        colour = blend(one.colour, background, faint_share if one.faint else 1.0)
        drawn = np.flatnonzero(lit.any(axis=0))
        columns = {*places(turn, len(numbered), cells.width)} & {*drawn.tolist()}
        if one.end:  # which begins with the number
            columns = {column for column in columns if column < drawn[-1] - _APART}
        else:
            columns |= {*drawn[-1:].tolist()}
        for column in columns:
            rows = np.flatnonzero(lit[:, column])
            cells.write(int(rows[rows.size // 2]), column, one.number, colour)
