"""A recording as an animated GIF, and its last screen as PNG."""

import struct
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from gdtui.recording.cast.footage import Footage
from gdtui.recording.emulator.screen import TerminalScreen
from gdtui.recording.raster.font import Font
from gdtui.recording.raster.painter import Palette, ScreenPainter

_UNCHANGED: Final = 255
"""The palette index of pixels that stay as they are."""
_KEEP: Final = 1
"""The disposal by which each image is drawn over the one before."""
_TICKS: Final = 100
"""A GIF counts time in hundredths of a second."""
_SHORTEST: Final = 2
"""Ticks that every viewer honours; many slow down frames that are shown for less."""


def gif(footage: Footage, font: Font) -> bytes:
    """The GIF; it plays again and again."""
    screen = TerminalScreen(footage.columns, footage.rows)
    painter = ScreenPainter(screen, font)
    images: list[NDArray[np.uint8]] = []
    ticks: list[int] = []
    for at, sequences in footage.frames:
        tick = round(at * _TICKS)
        if sequences:
            screen.feed(sequences)
            painter.paint()
            if ticks and tick - ticks[-1] < _SHORTEST:
                images[-1] = painter.pixels.copy()
            else:
                images.append(painter.pixels.copy())
                ticks.append(tick)
    ticks.append(max(round(footage.seconds * _TICKS), ticks[-1] + _SHORTEST))
    return _encoded(images, ticks, painter.palette)


def png(footage: Footage, font: Font) -> bytes:
    """The last screen."""
    screen = TerminalScreen(footage.columns, footage.rows)
    for _, sequences in footage.frames:
        screen.feed(sequences)
    painter = ScreenPainter(screen, font)
    painter.paint()
    image = Image.fromarray(painter.pixels)
    image.putpalette(bytes(channel for colour in painter.palette.colours for channel in colour))
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _encoded(images: list[NDArray[np.uint8]], ticks: list[int], palette: Palette) -> bytes:
    """The file: a header, then for each image the rectangle that has changed."""
    file = BytesIO()
    height, width = images[0].shape
    file.write(_header(width, height, palette))
    before = None
    for place, image in enumerate(images):
        top, left, part = (0, 0, image) if before is None else _difference(before, image)
        before = image
        for block in GifImagePlugin.getdata(
            Image.fromarray(part),
            (left, top),
            duration=1000 * (ticks[place + 1] - ticks[place]) // _TICKS,
            transparency=_UNCHANGED,
            disposal=_KEEP,
        ):
            file.write(block)
    file.write(b";")
    return file.getvalue()


def _difference(
    before: NDArray[np.uint8], after: NDArray[np.uint8]
) -> tuple[int, int, NDArray[np.uint8]]:
    """Top, left and pixels of the rectangle that has changed; equal pixels are transparent."""
    changed = before != after
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not len(rows):
        return 0, 0, np.full((1, 1), _UNCHANGED, np.uint8)
    top, left = int(rows[0]), int(columns[0])
    part = np.s_[top : rows[-1] + 1, left : columns[-1] + 1]
    return top, left, np.where(changed[part], after[part], np.uint8(_UNCHANGED))


def _header(width: int, height: int, palette: Palette) -> bytes:
    """Size, colours, and the block that makes the animation repeat without end."""
    colours = bytes(channel for colour in palette.colours for channel in colour)
    screen = struct.pack("<6sHHBBB", b"GIF89a", width, height, 0xF7, 0, 0)
    return screen + colours.ljust(3 * 256, b"\0") + b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
