"""Letters from the fonts of this machine, by Pillow."""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from PIL import ImageFont

from gdtui.recording.raster.geometry import INK, Glyph

_NAMES: Final = (
    *("DejaVuSansMono", "LiberationMono-Regular", "NotoSansMono-Regular", "UbuntuMono-R"),
    *("FreeMono", "Menlo", "SFNSMono", "Monaco", "Andale Mono", "Courier New"),
)
"""Monospaced fonts in order of preference; those first that have most symbols."""
_SUFFIXES: Final = (".ttf", ".ttc", ".otf")
_MISSING: Final = "\U0010fffe"
"""A character that no font has."""
_LINE_HEIGHT: Final = 1.25
_FULL: Final = 255


class FontError(Exception):
    """A font that cannot be used; the message says why."""


class Font:
    """A monospaced font at one size, and others for the characters that it lacks."""

    def __init__(self, path: Path | None, size: int) -> None:
        """`path` None takes a font of this machine. Raises FontError if there is none."""
        paths = [path] if path is not None else []
        paths += [each for each in installed() if each != path]
        if not paths:
            raise FontError(
                "no monospaced font found: name one with --font, e.g. "
                "--font /usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
            )
        try:
            first = ImageFont.truetype(str(paths[0]), size)
        except OSError as error:
            raise FontError(f"cannot use the font {paths[0]}: {error}") from None
        self._size = size
        self._bold = _bold_of(paths[0], size)
        self._fonts = [first]
        self._others = paths[1:]
        self.width = max(1, round(first.getlength("M")))
        self.height = max(1, round(size * _LINE_HEIGHT))
        """The size of a cell, in pixels."""

    def glyph(self, character: str, cells: int, *, is_bold: bool) -> Glyph:
        """The levels of a character that takes this many cells.

        A bold character without a bold font is drawn twice, one pixel apart.
        """
        font = self._font_for(character)
        if is_bold and self._bold is not None and font is self._fonts[0]:
            font, is_bold = self._bold, False
        width = self.width * cells
        ascent, descent = font.getmetrics()
        top = (self.height - ascent - descent) // 2
        mask, (left, above) = font.getmask2(character, mode="L", anchor="ls")
        levels = np.zeros((self.height, width), np.uint8)
        columns, rows = mask.size
        if columns and rows:
            pixels = np.asarray(mask, dtype=np.uint16).reshape(rows, columns)
            grey = (pixels * INK + _FULL // 2) // _FULL
            _place(levels, grey.astype(np.uint8), top + ascent + above, left)
        if is_bold:
            levels[:, 1:] = np.maximum(levels[:, 1:], levels[:, :-1])
        return levels

    def _font_for(self, character: str) -> ImageFont.FreeTypeFont:
        """The first font that has the character; the first of all if none has."""
        for font in self._fonts:
            if _has(font, character):
                return font
        while self._others:
            try:
                font = ImageFont.truetype(str(self._others.pop(0)), self._size)
            except OSError:
                continue
            self._fonts.append(font)
            if _has(font, character):
                return font
        return self._fonts[0]


def _bold_of(path: Path, size: int) -> ImageFont.FreeTypeFont | None:
    """The bold font that lies beside a regular one, if there is one."""
    for stem in (f"{path.stem}-Bold", path.stem.replace("-Regular", "-Bold"), f"{path.stem}Bold"):
        file = path.with_stem(stem)
        if file != path and file.exists():
            return ImageFont.truetype(str(file), size)
    return None


def _place(canvas: Glyph, picture: Glyph, top: int, left: int) -> None:
    """Copy a picture, without the parts that lie outside."""
    height, width = canvas.shape
    rows, columns = picture.shape
    y, x = max(top, 0), max(left, 0)
    bottom, right = min(top + rows, height), min(left + columns, width)
    if y < bottom and x < right:
        canvas[y:bottom, x:right] = picture[y - top : bottom - top, x - left : right - left]


def _has(font: ImageFont.FreeTypeFont, character: str) -> bool:
    missing, found = (font.getmask(text, mode="L") for text in (_MISSING, character))
    return found.size != missing.size or bytes(found) != bytes(missing)


@cache
def installed() -> tuple[Path, ...]:
    """The known monospaced fonts that this machine has, the best first."""
    found: dict[str, Path] = {}
    for path in _font_files():
        if path.suffix.lower() in _SUFFIXES:
            found.setdefault(path.stem, path)
    return tuple(found[name] for name in _NAMES if name in found)


def _font_files() -> Iterator[Path]:
    """Font files in a fixed order; matplotlib, if installed, brings some."""
    home = Path.home()
    folders = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / ".fonts"]
    folders += [home / ".local/share/fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    folders += [Path(entry) / "matplotlib/mpl-data/fonts/ttf" for entry in sys.path if entry]
    for folder in folders:
        yield from sorted(folder.rglob("*"))
