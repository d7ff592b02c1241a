"""Paints screens as an image of palette indices, the changed cells only."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdtui.recording.emulator.screen import COVERED, TerminalScreen
from gdtui.recording.emulator.style import CellStyle
from gdtui.recording.raster.font import Font
from gdtui.recording.raster.geometry import INK, Glyph, drawn

_MOST_COLOURS: Final = 255
"""One index of a GIF's 256 remains for transparency."""
_FOREGROUND, _BACKGROUND = "#d8d8d8", "#101010"
"""Colours of cells that name none."""
_DIM: Final = 0.5
Rgb = tuple[int, int, int]


class Palette:
    """Up to 255 colours, by index; further ones become the nearest."""

    def __init__(self) -> None:
        self.colours: list[Rgb] = []
        self._indices: dict[Rgb, int] = {}

    def index(self, colour: Rgb) -> int:
        """The index of a colour."""
        if colour not in self._indices:
            if len(self.colours) < _MOST_COLOURS:
                self._indices[colour] = len(self.colours)
                self.colours.append(colour)
            else:
                distances = (np.array(self.colours) - np.array(colour)) ** 2
                self._indices[colour] = int(distances.sum(axis=1).argmin())
        return self._indices[colour]


class ScreenPainter:
    """An image of a screen that is kept up to date."""

    def __init__(self, screen: TerminalScreen, font: Font) -> None:
        self._screen = screen
        self._font = font
        self._glyphs: dict[tuple[str, int, bool], Glyph] = {}
        self._tiles: dict[tuple[str, int, CellStyle], NDArray[np.uint8]] = {}
        self._shown: list[list[tuple[str, CellStyle] | None]] = [
            [None] * screen.columns for _ in range(screen.rows)
        ]
        self.palette = Palette()
        self.pixels: NDArray[np.uint8] = np.zeros(
            (screen.rows * font.height, screen.columns * font.width), np.uint8
        )
        """Palette indices, rows by columns."""

    def paint(self) -> None:
        """Paint the cells that have changed."""
        screen = self._screen
        rows, screen.changed = sorted(screen.changed), set()
        for y in rows:
            cells = [*zip(screen.characters[y], screen.styles[y], strict=True)]
            shown = self._shown[y]
            for x, cell in enumerate(cells):
                if cell != shown[x] and cell[0] != COVERED:
                    is_wide = x + 1 < len(cells) and cells[x + 1][0] == COVERED
                    self._put(x, y, *cell, 2 if is_wide else 1)
            self._shown[y] = [*cells]

    def _put(self, x: int, y: int, character: str, style: CellStyle, cells: int) -> None:
        width, height = self._font.width, self._font.height
        tile = self._tiles.get((character, cells, style))
        if tile is None:
            tile = self._tiles[character, cells, style] = self._tile(character, cells, style)
        top, left = y * height, x * width
        self.pixels[top : top + height, left : left + width * cells] = tile

    def _tile(self, character: str, cells: int, style: CellStyle) -> NDArray[np.uint8]:
        ink, paper = _inks(style)
        levels = [
            self.palette.index(_mixed(paper, ink, level / INK)) if level in (0, INK) else -1
            for level in range(INK + 1)
        ]
        glyph = self._glyph(character, cells, is_bold=style.bold)
        for level in np.unique(glyph):
            if levels[level] < 0:
                levels[level] = self.palette.index(_mixed(paper, ink, level / INK))
        tile: NDArray[np.uint8] = np.array([max(each, 0) for each in levels], np.uint8)[glyph]
        if style.underline:
            tile[-2] = levels[INK]
        if style.strike:
            tile[tile.shape[0] // 2] = levels[INK]
        return tile

    def _glyph(self, character: str, cells: int, *, is_bold: bool) -> Glyph:
        key = (character, cells, is_bold)
        if key not in self._glyphs:
            glyph = drawn(character, self._font.width, self._font.height) if cells == 1 else None
            if glyph is None:
                glyph = self._font.glyph(character, cells, is_bold=is_bold)
            self._glyphs[key] = glyph
        return self._glyphs[key]


def _inks(style: CellStyle) -> tuple[Rgb, Rgb]:
    """Foreground and background of a cell."""
    ink, paper = _rgb(style.foreground or _FOREGROUND), _rgb(style.background or _BACKGROUND)
    if style.reverse:
        ink, paper = paper, ink
    return (_mixed(paper, ink, _DIM) if style.dim else ink), paper


def _rgb(colour: str) -> Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _mixed(paper: Rgb, ink: Rgb, share: float) -> Rgb:
    """A colour between two, with this share of the second."""
    red, green, blue = (
        round(start + (end - start) * share) for start, end in zip(paper, ink, strict=True)
    )
    return red, green, blue
