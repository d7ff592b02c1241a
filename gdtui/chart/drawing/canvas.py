"""Turns a picture into coloured cells, and decides which layer owns each cell. Pure numpy.

Bands are the background of cells, behind everything. A braille cell has only one colour, so the
layers compete for it, and the last one wins: bars, marks, raw losses, ghosts, lines, single points,
off-scale marks, labels. Knows no widget.
"""

from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.drawing.cells import Cells
from gdtui.chart.drawing.frame import FrameInks, frame
from gdtui.chart.drawing.layers import Layers
from gdtui.chart.drawing.parts import bands, line_ends, marks, numbers, off_scale
from gdtui.chart.drawing.raster import DOTS_Y, place
from gdtui.chart.scene.axes import drawable
from gdtui.chart.scene.layout import room
from gdtui.chart.scene.palette import blend
from gdtui.chart.scene.picture import Picture, Scale, Series

_BRAILLE = np.uint32(0x2800)
CURSOR, CURSOR_BELOW = ord("│"), ord("┷")
_FREE = np.array([ord(c) for c in " ┈┊⠀"], np.uint32)
"""Characters that can be overdrawn without hiding data."""

_EVERY = np.arange(256)
_THIN = (_EVERY & 0x47 | _EVERY >> 3 & 0x07 | _EVERY >> 1 & 0x40).astype(np.uint8)
"""Half as dense and still every extreme: the left column of a cell stands for both of its columns.
"""

_TURN = 2
"""Cells in a row that a line keeps its colour where others share them."""

BAR_SHARE = 0.38
GHOST_SHARE = 0.6


def paint(
    picture: Picture,
    width: int,
    height: int,
    inks: FrameInks,
    background: str,
    palette: list[str],
    layers: Layers | None = None,
) -> Cells:
    """The whole chart, frame and data, in width × height cells; adds to `palette` and `layers`."""
    x, y, layers = drawable(picture.x), drawable(picture.y), layers or Layers()
    if x is not picture.x or y is not picture.y:
        picture = replace(picture, x=x, y=y)
    canvas = room(picture.y, width, height)
    frame_of = (picture.x, picture.y, picture.rules, width, height, inks)

    def ground() -> Cells:
        return _ground(picture, width, height, inks, palette)

    def back() -> Cells:
        cells = layers.stage("ground", frame_of, palette, ground)
        if canvas.width and canvas.height:
            _draw_back(picture, cells.part(canvas), background, layers)
        return cells

    cells = layers.stage("back", (frame_of, _behind(picture), background), palette, back)
    if canvas.width and canvas.height:
        _draw_front(picture, cells.part(canvas), background, layers)
    return cells


def _behind(picture: Picture) -> tuple[object, ...]:
    """Everything that determines what is drawn behind the lines."""
    series = [(one.label, one.colour, one.band, one.bars, one.strays) for one in picture.series]
    return picture.marks, *series


def _ground(
    picture: Picture, width: int, height: int, inks: FrameInks, palette: list[str]
) -> Cells:
    """The background of the data: the frame with its grid, and lines at the ends of epochs."""
    cells = Cells.blank(width, height, palette)
    canvas = room(picture.y, width, height)
    if canvas.framed:
        _draw_frame(cells, picture.x, picture.y, inks)
    if canvas.width and canvas.height:
        marks.draw_rules(picture, cells.part(canvas), inks.grid)
    return cells


def _draw_frame(cells: Cells, x: Scale, y: Scale, inks: FrameInks) -> None:
    drawn = frame(x, y, cells.width, cells.height, inks)
    inks_of = {colour: cells.ink(colour) for colour in dict.fromkeys(chain(*drawn.colours))}
    for row, (text, colours) in enumerate(zip(drawn.rows, drawn.colours, strict=True)):
        cells.characters[row] = np.frombuffer(text.encode("utf-32-le"), "<u4")
        cells.inks[row] = [inks_of[colour] for colour in colours]


def compose(picture: Picture, cells: Cells, background: str, layers: Layers | None = None) -> None:
    """Draw the picture's series and marks over the cells, without changing other cells."""
    layers = layers or Layers()
    _draw_back(picture, cells, background, layers)
    _draw_front(picture, cells, background, layers)


def _draw_back(picture: Picture, cells: Cells, background: str, layers: Layers) -> None:
    """Draw everything behind the lines, which changes less often than these."""
    bands.draw(picture, cells, background, layers)
    _draw_bars(picture, cells, background, layers)
    marks.draw(picture, cells, background)
    _draw_strays(picture, cells, background, layers)


def _draw_front(picture: Picture, cells: Cells, background: str, layers: Layers) -> None:
    """Draw the lines, and everything in front of them."""
    deep = sorted(
        (one for one in picture.series if one.depth), key=lambda one: (-one.depth, one.faint)
    )
    near = [one for one in picture.series if not one.depth]
    taken = np.zeros(cells.characters.shape, np.bool_)
    _draw_lines(picture, cells, deep, background, taken, layers)
    _draw_lines(picture, cells, [one for one in near if one.faint], background, taken, layers)
    _draw_lines(picture, cells, [one for one in near if not one.faint], background, taken, layers)
    for series in picture.series:
        colour = blend(series.colour, background, marks.SHARE)
        off_scale.mark_range(picture, cells, series.reach, colour, taken)
    numbers.draw(picture, cells, background, GHOST_SHARE)
    for series in picture.series:
        _draw_points(picture, cells, series, background, taken, layers)
    off_scale.count(picture, cells, taken)
    line_ends.draw(picture, cells, layers, taken)
    marks.label(picture, cells, taken)


def with_cursor(cells: Cells, picture: Picture, x: float, colour: str) -> Cells:
    """A copy with a thin line at this x; the cells themselves if it is outside.

    It hides no data: dots remain, and lines keep their colours; only clouds of dots take the
    colour of the cursor.
    """
    canvas = room(drawable(picture.y), cells.width, cells.height)
    at = place(np.array([x]), drawable(picture.x), canvas.width, 1)[0]
    if not 0 <= at < canvas.width:
        return cells
    copy = cells.copy()
    column = copy.column(canvas.left + int(at), canvas.height + canvas.framed)
    is_line = np.isin(column.inks, [copy.ink(one.colour) for one in picture.series])
    is_line &= ~_is_cloud(column.characters)
    is_free = np.isin(column.characters, _FREE)
    column.characters[is_free] = CURSOR
    if canvas.framed:
        column.characters[-1] = CURSOR_BELOW
    column.inks[~is_line | is_free] = copy.ink(colour)
    return copy


def _is_cloud(characters: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """True for braille cells with more dots than a line through them would have."""
    dots = (
        np.unpackbits((characters & 0xFF).astype(np.uint8))
        .reshape(*characters.shape, 8)
        .sum(axis=-1)
    )
    cloudy: NDArray[np.bool_] = (characters >> 8 == _BRAILLE >> 8) & (dots > DOTS_Y)
    return cloudy


def _stamp(cells: Cells, bits: NDArray[np.uint8], colour: str, lit: NDArray[np.bool_]) -> None:
    """Draw these dots in this colour over the lit cells."""
    np.add(bits, _BRAILLE, out=cells.characters, where=lit)
    np.copyto(cells.inks, cells.ink(colour), where=lit)


def _draw_bars(picture: Picture, cells: Cells, background: str, layers: Layers) -> None:
    for one in picture.series:
        if not one.bars.is_empty:
            bits = _THIN[layers.line((one.label, "bars"), one.bars, picture, cells).bits]
            _stamp(cells, bits, blend(one.colour, background, BAR_SHARE), bits != 0)


def _draw_strays(picture: Picture, cells: Cells, background: str, layers: Layers) -> None:
    for one in picture.series:
        if not one.strays.is_empty:
            bits = layers.line((one.label, "strays"), one.strays, picture, cells).bits
            _stamp(cells, bits, blend(one.colour, background, marks.SHARE), bits != 0)


def _draw_lines(
    picture: Picture,
    cells: Cells,
    series: list[Series],
    background: str,
    taken: NDArray[np.bool_],
    layers: Layers,
) -> None:
    """Lines that share a cell keep all their dots, and their colours alternate along it.

    In a cell with raw losses, however, a line stands alone: among their dots, it would be lost.
    """
    if not series:
        return
    together = np.zeros(cells.characters.shape, np.uint8)
    drawn: list[tuple[NDArray[np.bool_], int]] = []
    for one in series:
        if one.line.is_empty:
            continue
        layer = layers.line((one.label, "line"), one.line, picture, cells)
        lit = layer.bits != 0
        together = layer.bits if one.depth else together | layer.bits
        colour = blend(one.colour, background, GHOST_SHARE if one.faint else 1.0)
        _stamp(cells, together, colour, lit)
        off_scale.mark(cells, layer, colour, taken)
        taken |= lit
        if not one.depth:
            drawn.append((lit, cells.ink(colour)))
    _alternate(cells, drawn)


def _alternate(cells: Cells, drawn: list[tuple[NDArray[np.bool_], int]]) -> None:
    """Give the cells that several lines share to each of them in turn."""
    if len(drawn) < 2:
        return
    lines = np.array([lit for lit, _ in drawn]).sum(axis=0)
    rows, columns = np.nonzero(lines > 1)
    turn = columns // _TURN % lines[rows, columns]
    for lit, ink in drawn:
        has = lit[rows, columns]
        chosen = has & (turn == 0)
        cells.inks[rows[chosen], columns[chosen]] = ink
        turn -= has


def _draw_points(
    picture: Picture,
    cells: Cells,
    series: Series,
    background: str,
    taken: NDArray[np.bool_],
    layers: Layers,
) -> None:
    if series.points.is_empty and series.validation.is_empty:
        return
    rows, columns = layers.spots((series.label, "points"), series.points, picture, cells)
    held_out = layers.spots((series.label, "validation"), series.validation, picture, cells)
    full, hollow, both = map(ord, picture.points(cells.width))
    is_hollow = np.zeros(cells.characters.shape, np.bool_)
    is_hollow[held_out] = True
    cells.characters[is_hollow] = hollow
    cells.characters[rows, columns] = np.where(is_hollow[rows, columns], both, full)
    drawn = is_hollow
    drawn[rows, columns] = True
    colour = blend(series.colour, background, GHOST_SHARE if series.faint else 1.0)
    cells.inks[drawn] = cells.ink(colour)
    taken |= drawn
    for points in (series.points, series.validation):
        off_scale.mark_range(picture, cells, points, colour, taken)
