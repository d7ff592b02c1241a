"""Draws bands as the background of cells, or as outlines in themes that cannot tint. Pure numpy."""

from functools import lru_cache
from typing import Final

import numpy as np

from gdtui.chart.drawing.cells import Cells
from gdtui.chart.drawing.cover import HALVES, Levels
from gdtui.chart.drawing.layers import Layers
from gdtui.chart.drawing.raster import rasterise
from gdtui.chart.scene.palette import blend
from gdtui.chart.scene.picture import Picture, Series
from gdtui.chart.scene.polyline import Polyline
from gdtui.chart.scene.tints import has_halves, mixed, tint

_OUTLINE_SHARE: Final = 0.38
_FEW: Final = 6
"""Bands up to which every combination of theirs is in a table."""
_BRAILLE: Final = np.uint32(0x2800)
_DOTTED: Final = np.uint8(0x47)
"""The left column of dots in a cell: an outline is half as dense as a line."""


def draw(picture: Picture, cells: Cells, background: str, layers: Layers) -> None:
    """Draw the bands of all series behind everything else."""
    tinted: list[tuple[Series, Levels]] = []
    for one in picture.series:
        if one.band.is_empty:
            continue
        if tint(one.colour, background):
            tinted.append((one, layers.band((one.label, "band"), one.band, picture, cells)))
        else:
            _outline(one, picture, cells, background)
    if tinted:
        _tint(tinted, cells, background)


def _tint(bands: list[tuple[Series, Levels]], cells: Cells, background: str) -> None:
    colours = tuple(one.colour for one, _ in bands)
    code = np.zeros(cells.grounds.shape, np.int64)
    for _, covered in bands:
        code = code * (HALVES + 1) + covered
    if len(bands) <= _FEW:
        codes, at = np.arange((HALVES + 1) ** len(bands)), code
    else:
        codes, at = np.unique(code, return_inverse=True)
    present = np.flatnonzero(np.bincount(at.ravel(), minlength=codes.size))
    inks = np.zeros(codes.size, np.int16)
    inks[present] = [
        cells.ink(_colour(one, colours, background)) for one in codes[present].tolist()
    ]
    cells.grounds[:] = inks[at].reshape(code.shape)


@lru_cache(maxsize=1024)
def _colour(code: int, colours: tuple[str, ...], background: str) -> str:
    tints: list[str] = []
    for colour in reversed(colours):
        code, covered = divmod(code, HALVES + 1)
        if covered:
            full = tint(colour, background)
            is_half = covered < HALVES and has_halves(colour, background)
            tints.append(blend(full, background, 0.5) if is_half else full)
    return mixed(tuple(tints), background) if tints else ""


def _outline(one: Series, picture: Picture, cells: Cells, background: str) -> None:
    """Draw the two edges of a band, paler and half as dense as lines."""
    ink = cells.ink(blend(one.colour, background, _OUTLINE_SHARE))
    for values in (one.band.high, one.band.low):
        edge = Polyline(one.band.x, values, values)
        layer = rasterise(edge, picture.x, picture.y, cells.width, cells.height)
        bits = layer.bits & _DOTTED
        np.add(bits, _BRAILLE, out=cells.characters, where=bits != 0)
        np.copyto(cells.inks, ink, where=bits != 0)
