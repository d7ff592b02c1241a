"""Turns a picture into coloured cells, and decides which layer owns each cell. Pure numpy.

Bands are the background of cells, behind everything. A braille cell has only one colour, so the
layers compete for it, and the last one wins: bars, marks, raw losses, ghosts, lines, single points,
off-scale marks, labels. Knows no widget.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, product

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.drawing.cells import Cells
from gdtui.chart.drawing.frame import FrameInks, frame
from gdtui.chart.drawing.layers import Layers
from gdtui.chart.drawing.parts import bands, line_ends, numbers, off_scale
from gdtui.chart.drawing.raster import DOTS_Y, place
from gdtui.chart.scene.axes import drawable
from gdtui.chart.scene.layout import clean, room
from gdtui.chart.scene.palette import blend
from gdtui.chart.scene.picture import Mark, Picture, Scale, Series

_BRAILLE = np.uint32(0x2800)
MARK = ord("┊")
CURSOR, CURSOR_BELOW = ord("│"), ord("┷")
_FREE = np.array([ord(c) for c in " ┈┊⠀"], np.uint32)
"""Characters that can be overdrawn without hiding data."""

_LABEL_ROWS = 4
_EVERY = np.arange(256)
_THIN = (_EVERY & 0x47 | _EVERY >> 3 & 0x07 | _EVERY >> 1 & 0x40).astype(np.uint8)
"""Half as dense and still every extreme: the left column of a cell stands for both of its columns.
"""

_TURN = 2
"""Cells in a row that a line keeps its colour where others share them."""

BAR_SHARE = 0.38
GHOST_SHARE = 0.6
_MARK_SHARE = 0.7


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
    cells = layers.ground(
        (picture.x, picture.y, picture.rules, width, height, inks),
        palette,
        lambda: _ground(picture, width, height, inks, palette),
    )
    canvas = room(picture.y, width, height)
    if canvas.width and canvas.height:
        compose(picture, cells.part(canvas), background, layers)
    return cells


def _ground(
    picture: Picture, width: int, height: int, inks: FrameInks, palette: list[str]
) -> Cells:
    """The background of the data: the frame with its grid, and lines at the ends of epochs."""
    cells = Cells.blank(width, height, palette)
    canvas = room(picture.y, width, height)
    if canvas.framed:
        _draw_frame(cells, picture.x, picture.y, inks)
    if canvas.width and canvas.height:
        _draw_rules(picture, cells.part(canvas), inks.grid)
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
    deep = sorted(
        (one for one in picture.series if one.depth), key=lambda one: (-one.depth, one.faint)
    )
    near = [one for one in picture.series if not one.depth]
    taken = np.zeros(cells.characters.shape, np.bool_)
    bands.draw(picture, cells, background, layers)
    _draw_bars(picture, cells, background, layers)
    columns = _draw_marks(picture, cells, background)
    _draw_strays(picture, cells, background, layers)
    _draw_lines(picture, cells, deep, background, taken, layers)
    _draw_lines(picture, cells, [one for one in near if one.faint], background, taken, layers)
    _draw_lines(picture, cells, [one for one in near if not one.faint], background, taken, layers)
    for series in picture.series:
        if not series.reach.is_empty:
            layer = layers.line((series.label, "reach"), series.reach, picture, cells)
            off_scale.mark(cells, layer, blend(series.colour, background, _MARK_SHARE), taken)
    numbers.draw(picture, cells, background, GHOST_SHARE)
    for series in picture.series:
        _draw_points(picture, cells, series, background, taken, layers)
    off_scale.count(picture, cells, taken)
    line_ends.draw(picture, cells, layers, taken)
    _draw_labels(cells, picture.marks, columns, taken)


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
            _stamp(cells, bits, blend(one.colour, background, _MARK_SHARE), bits != 0)


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
        off_scale.mark_points(picture, cells, points, colour, taken)


def _draw_rules(picture: Picture, cells: Cells, ink: str) -> None:
    """Draw the rules over the grid of the frame, behind everything else."""
    columns = [column for column in _columns(picture.rules, picture.x, cells.width) if column > 0]
    cells.characters[:, columns] = MARK
    cells.inks[:, columns] = cells.ink(ink)


def _columns(positions: Sequence[float], x: Scale, width: int) -> list[int]:
    """The column of each position; −1 if it is outside."""
    at = place(np.array(positions, np.float64), x, width, 1)
    return [int(c) if np.isfinite(c) and 0 <= c < width else -1 for c in at]


def _draw_marks(picture: Picture, cells: Cells, background: str) -> list[int]:
    """Draw the marks; return the column of each, −1 if it is outside."""
    if not picture.marks:
        return []
    columns = _columns([mark.x for mark in picture.marks], picture.x, cells.width)
    for mark, column in zip(picture.marks, columns, strict=True):
        if column >= 0:
            cells.characters[:, column] = MARK
            cells.inks[:, column] = cells.ink(blend(mark.colour, background, _MARK_SHARE))
    return columns


def _draw_labels(
    cells: Cells, marks: tuple[Mark, ...], columns: list[int], taken: NDArray[np.bool_]
) -> None:
    """Draw each label next to its mark, near the top, where no line or other label is in the way.

    A label in the top row crosses no other mark; further labels of close marks go below it.
    """
    height, width = cells.characters.shape
    for number, (mark, column) in enumerate(zip(marks, columns, strict=True)):
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
