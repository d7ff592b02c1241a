"""Characters drawn as geometry, so that they fill their cells whatever the font.

Braille, block elements and box drawings. A glyph is an array of levels, from 0 (background) to
`INK`, of the height and width of a cell.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

Glyph = NDArray[np.uint8]

INK: Final = 4
"""The level of the full foreground colour."""
_BRAILLE: Final = range(0x2800, 0x2900)
_BOXES: Final = range(0x2500, 0x2580)
_BLOCKS: Final = range(0x2580, 0x25A0)
_DOTS: Final = ((0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1))
"""Row and column of each dot, in the order of the bits of a braille character."""
_QUADRANTS: Final = (0b0100, 0b1000, 0b0001, 0b1101, 0b1001, 0b0111, 0b1011, 0b0010, 0b0110, 0b1110)
"""Quadrants of U+2596 and following: bits 0 to 3 are upper left and right, lower left and right."""
_WEIGHTS: Final = {"LIGHT": 1, "SINGLE": 1, "HEAVY": 2, "DOUBLE": 3}
_ARMS: Final = {
    "LEFT": ("left",),
    "RIGHT": ("right",),
    "UP": ("up",),
    "DOWN": ("down",),
    "HORIZONTAL": ("left", "right"),
    "VERTICAL": ("up", "down"),
}
_DASHES: Final = {"DOUBLE": 2, "TRIPLE": 3, "QUADRUPLE": 4}
_DOUBLE: Final = 3


def drawn(character: str, width: int, height: int) -> Glyph | None:
    """The glyph of a character that is drawn as geometry; None for all others."""
    code = ord(character)
    glyph = np.zeros((height, width), np.uint8)
    if code in _BRAILLE:
        _draw_dots(glyph, code - _BRAILLE.start)
    elif code in _BLOCKS:
        _draw_block(glyph, code - _BLOCKS.start)
    elif code in _BOXES and "DIAGONAL" not in unicodedata.name(character):
        _draw_box(glyph, unicodedata.name(character).removeprefix("BOX DRAWINGS "))
    else:
        return None
    return glyph


def box_arms() -> str:
    """The weights of the arms of all 128 box characters: left, right, up, down; 0 is no arm.

    1 is light, 2 heavy, 3 double; diagonals have no arms.
    """
    table = []
    for code in _BOXES:
        name = unicodedata.name(chr(code)).removeprefix("BOX DRAWINGS ")
        arms = {} if "DIAGONAL" in name else dict(_arms(name))
        table += [arms.get(arm, 0) for arm in ("left", "right", "up", "down")]
    return "".join(map(str, table))


def _draw_dots(glyph: Glyph, bits: int) -> None:
    height, width = glyph.shape
    size = max(1, round(min(width / 2, height / 4) * 0.62))
    for bit, (row, column) in enumerate(_DOTS):
        if bits >> bit & 1:
            y = round((row + 0.5) * height / 4 - size / 2)
            x = round((column + 0.5) * width / 2 - size / 2)
            glyph[y : y + size, x : x + size] = INK


def _draw_block(glyph: Glyph, place: int) -> None:
    height, width = glyph.shape
    if place == 0:
        glyph[: round(height / 2)] = INK
    elif place <= 8:
        glyph[height - max(1, round(place * height / 8)) :] = INK
    elif place <= 0xF:
        glyph[:, : max(1, round((0x10 - place) * width / 8))] = INK
    elif place == 0x10:
        glyph[:, round(width / 2) :] = INK
    elif place <= 0x13:
        glyph[:] = place - 0x10
    elif place == 0x14:
        glyph[: max(1, round(height / 8))] = INK
    elif place == 0x15:
        glyph[:, width - max(1, round(width / 8)) :] = INK
    else:
        _draw_quadrants(glyph, _QUADRANTS[place - 0x16])


def _draw_quadrants(glyph: Glyph, bits: int) -> None:
    y, x = round(glyph.shape[0] / 2), round(glyph.shape[1] / 2)
    for bit, part in enumerate((glyph[:y, :x], glyph[:y, x:], glyph[y:, :x], glyph[y:, x:])):
        if bits >> bit & 1:
            part[:] = INK


def _draw_box(glyph: Glyph, name: str) -> None:
    arms = dict(_arms(name))
    heaviest = max(arms.values())
    for arm, weight in arms.items():
        for offset in (-1, 1) if weight == _DOUBLE else (0,):
            _draw_arm(glyph, arm, weight, offset, reach=heaviest)
    if "ARC" in name:
        y, x = (size // 2 for size in glyph.shape)
        glyph[y, x] = 0
    if "DASH" in name:
        _cut(glyph, _DASHES[name.split(" DASH")[0].split()[-1]], is_vertical="VERTICAL" in name)


def _arms(name: str) -> Iterator[tuple[str, int]]:
    """The arms of a box character and their weights, as its Unicode name has them."""
    words = name.replace("ARC ", "")
    for dash in _DASHES:
        words = words.replace(f"{dash} DASH ", "")
    weight = 1
    for part in words.split(" AND "):
        weight = next((_WEIGHTS[word] for word in part.split() if word in _WEIGHTS), weight)
        for word in part.split():
            for arm in _ARMS.get(word, ()):
                yield arm, weight


def _draw_arm(glyph: Glyph, arm: str, weight: int, offset: int, reach: int) -> None:
    """Draw from the middle to an edge, or one of the two lines of a double arm."""
    canvas = glyph if arm in ("left", "right") else glyph.T
    across, along = canvas.shape
    line = max(1, round(min(glyph.shape) / 8))
    gap = line + 1 if weight == _DOUBLE else 0
    thick = 2 * line + (1 if line == 1 else 0) if weight == 2 else line
    top = across // 2 - (thick - line) // 2 + offset * gap // 2
    middle = along // 2
    extra = line + 1 if reach == _DOUBLE else 0
    if arm in ("left", "up"):
        canvas[top : top + thick, : middle + line + extra] = INK
    else:
        canvas[top : top + thick, middle - extra :] = INK


def _cut(glyph: Glyph, dashes: int, *, is_vertical: bool) -> None:
    """Turn a line into so many dashes, with gaps that are even from cell to cell."""
    canvas = glyph.T if is_vertical else glyph
    along = canvas.shape[1]
    for place in range(along):
        if (place + 0.5) * dashes / along % 1 > 0.6:
            canvas[:, place] = 0
