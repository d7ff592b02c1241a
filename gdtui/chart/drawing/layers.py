"""Caches the last drawing of each line of a chart, so that the next frame only draws what is new.

Each drawing is stored with its inputs; a change of line, size or scale redraws it.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.drawing.cells import Cells
from gdtui.chart.drawing.cover import Levels, cover
from gdtui.chart.drawing.growth import grown
from gdtui.chart.drawing.raster import Layer, rasterise, spots
from gdtui.chart.scene.picture import Picture, Scale
from gdtui.chart.scene.polyline import Polyline

Key = tuple[str, str]
Spots = tuple[NDArray[np.int64], NDArray[np.int64]]
Drawing = TypeVar("Drawing")


class _Drawings(Generic[Drawing]):
    """The last drawing of each polyline, made anew whenever the polyline or the canvas changes."""

    def __init__(self, draw: Callable[[Polyline, Scale, Scale, int, int], Drawing]) -> None:
        self._draw = draw
        self._kept: dict[Key, tuple[object, Polyline, Drawing]] = {}

    def of(self, key: Key, polyline: Polyline, picture: Picture, cells: Cells) -> Drawing:
        canvas, kept = _canvas(picture, cells), self._kept.get(key)
        if kept is None or kept[0] != canvas or not polyline.is_like(kept[1]):
            drawing = self._draw(polyline, picture.x, picture.y, cells.width, cells.height)
            self._kept[key] = kept = canvas, polyline, drawing
        return kept[2]


class Layers:
    """The layers of one chart; their keys stay the same from frame to frame."""

    def __init__(self) -> None:
        self._lines: dict[Key, tuple[object, Layer]] = {}
        self._spots = _Drawings(spots)
        self._bands = _Drawings(cover)
        self._stages: dict[str, tuple[object, Cells]] = {}

    def line(self, key: Key, polyline: Polyline, picture: Picture, cells: Cells) -> Layer:
        """The dots of this polyline on the cells."""
        canvas = _canvas(picture, cells)
        kept, before = self._lines.get(key, (None, None))
        layer = None
        if before is not None and kept == canvas:
            if polyline.is_like(before.polyline):
                return before
            layer = grown(before, polyline, picture.x, picture.y)
        if layer is None:
            layer = rasterise(polyline, picture.x, picture.y, cells.width, cells.height)
        self._lines[key] = canvas, layer
        return layer

    def spots(self, key: Key, polyline: Polyline, picture: Picture, cells: Cells) -> Spots:
        """The cells of this polyline's single values, as rows and columns."""
        return self._spots.of(key, polyline, picture, cells)

    def band(self, key: Key, polyline: Polyline, picture: Picture, cells: Cells) -> Levels:
        """The halves of each cell that this band covers."""
        return self._bands.of(key, polyline, picture, cells)

    def stage(
        self, name: str, made_of: object, palette: list[str], draw: Callable[[], Cells]
    ) -> Cells:
        """A copy of the cells drawn so far; those of the last frame if `made_of` is the same."""
        kept, cells = self._stages.get(name, (None, None))
        if cells is None or kept != made_of or cells.palette is not palette:
            cells = draw()
            self._stages[name] = made_of, cells
        return cells.copy()


def _canvas(picture: Picture, cells: Cells) -> tuple[Any, ...]:
    """Everything that determines the cell of a value."""
    return _range(picture.x), _range(picture.y), cells.width, cells.height


def _range(scale: Scale) -> tuple[float, float, bool]:
    return scale.low, scale.high, scale.log
