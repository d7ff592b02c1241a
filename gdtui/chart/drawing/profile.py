"""Histograms of losses: along the y axis, next to a chart, or within a line of text. Pure numpy.

Half a row is a bin. The length of a bar is proportional to the root of its count, so that tails are
visible, and the longest bar fills the width: shapes are compared, not counts. Drawn in blocks, so
that it is not mistaken for data.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.drawing.raster import place
from gdtui.chart.scene.axes import drawable
from gdtui.chart.scene.picture import Scale

_BLOCKS: Final = np.array([ord(character) for character in " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"], "<u4")
"""Characters by their quarters: 1 upper left, 2 upper right, 4 lower left, 8 lower right."""
_BARS: Final = np.array([ord(character) for character in " ▁▂▃▄▅▆▇█"], "<u4")
_PARTS: Final = 2
"""Dots of a cell, along and across."""


def profile(values: NDArray[np.float64], y: Scale, columns: int, rows: int) -> list[str]:
    """The histogram as `rows` lines of `columns` characters.

    Values that are not finite or outside the axis are omitted.
    """
    bins, length = rows * _PARTS, columns * _PARTS
    if bins <= 0 or length <= 0:
        return [""] * max(rows, 0)
    at = np.floor(place(values, drawable(y), rows, _PARTS, downwards=True))
    counts = np.bincount(at[(at >= 0) & (at < bins)].astype(np.int64), minlength=bins)
    bars = np.ceil(length * np.sqrt(counts / max(counts.max(), 1)))
    quarters = (np.arange(length) < bars[:, None]).astype(np.uint8)
    left, right = quarters[:, ::2], quarters[:, 1::2]
    cells = _BLOCKS[left[::2] + 2 * right[::2] + 4 * left[1::2] + 8 * right[1::2]]
    return [row.tobytes().decode("utf-32-le") for row in cells]


def inline(values: NDArray[np.float64], y: Scale, cells: int) -> str:
    """The histogram in one line of at most `cells` characters, from the low end of the y axis.

    Bins of all variants are the same, so that their spreads compare; values beyond the axis are in
    the outermost. The height of a bar is proportional to the root of its count.
    """
    values = values[np.isfinite(values)]
    if not values.size or cells <= 0:
        return ""
    at = np.floor(place(values, drawable(y), cells, 1))
    counts = np.bincount(np.clip(at, 0, cells - 1).astype(np.int64), minlength=cells)
    heights = np.ceil((_BARS.size - 1) * np.sqrt(counts / counts.max())).astype(np.int64)
    text: str = _BARS[heights].tobytes().decode("utf-32-le")
    return text.rstrip()
