"""Colours of bands behind lines, how they mix where bands overlap, and text that is legible there.

A tint is a dim version of a variant's colour, as far from the background as any other tint. Where
bands overlap, their colours add up, but weakened, so that many bands do not become as bright as
a line; their order does not matter.
"""

import math
from functools import lru_cache
from itertools import cycle
from typing import Final

from gdtui.chart.scene.palette import (
    CONTRAST_256,
    DARK_256,
    INK,
    LIGHT_256,
    ON_BLACK,
    ON_WHITE,
    blend,
    channels,
    hexadecimal,
)

TEXT_CONTRAST: Final = 4.5
"""Least contrast of text (WCAG 2.2, 1.4.3)."""
_DARK_STEP: Final = 1.5
_LIGHT_STEP: Final = 1.3
"""Contrast of a tint with its background."""
_SPARE: Final = 1.1
"""Contrast to spare, for terminals of 256 colours round the others to theirs."""
_STEPS: Final = 24
"""Bisections for a share of a colour, and steps towards black or white for text."""
_SPARSE: Final = {*ON_BLACK, *ON_WHITE, INK}

_OF_256: Final = {
    "#121212": (DARK_256, ("#262626", "#303030", "#3a3a3a"), ("#444444", "#4e4e4e")),
    "#000000": (CONTRAST_256, ("#1c1c1c", "#262626", "#303030"), ("#3a3a3a", "#444444")),
    "#ffffff": (LIGHT_256, ("#d7d7ff", "#ffd7d7", "#d7ffd7", "#ffd7ff", "#ffffd7", "#ffd7af",
                            "#afd7ff", "#d7d7d7", "#ffafff"), ("#d0d0d0", "#c2c2c2")),
}  # fmt: skip
"""By background, for a terminal's 256 colours: the palette, the tints, which variants use in turn,
and the colours of two bands that overlap, and of more.

The dim colours of such terminals are greys: their darkest blue, red and green are pure, and as loud
as lines.
"""
_TINTS_256: Final = {
    background: {shades[0]: tint for shades, tint in zip(palette, cycle(tints), strict=False)}
    for background, (palette, tints, _) in _OF_256.items()
}


@lru_cache(maxsize=256)
def tint(colour: str, background: str) -> str:
    """The background of a band of this colour; "" in themes of sixteen colours or none."""
    if known := _TINTS_256.get(background, {}).get(colour):
        return known
    if background in ("#000000", "#ffffff") and colour in _SPARSE:
        return ""
    wanted = _DARK_STEP if is_dark(background) else _LIGHT_STEP
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        is_weak = contrast(blend(colour, background, middle), background) < wanted
        low, high = (middle, high) if is_weak else (low, middle)
    return blend(colour, background, low)


def has_halves(colour: str, background: str) -> bool:
    """True if a tint can be weakened: not in a terminal of 256 colours."""
    return colour not in _TINTS_256.get(background, {})


@lru_cache(maxsize=1024)
def mixed(tints: tuple[str, ...], background: str) -> str:
    """The background where these bands overlap.

    Among 256 colours, only their number matters.
    """
    if {*tints} <= {*_TINTS_256.get(background, {}).values()}:
        two, more = _OF_256[background][2]
        return tints[0] if len(tints) == 1 else two if len(tints) == 2 else more
    share = 1 / math.sqrt(len(tints))
    sums = (
        base + share * sum(each - base for each in those)
        for base, *those in zip(channels(background), *map(channels, tints), strict=True)
    )
    return hexadecimal(tuple(min(max(round(each), 0), 255) for each in sums))


@lru_cache(maxsize=1024)
def legible(colour: str, ground: str) -> str:
    """The colour, or so much of it with white or black that text in it is legible on the ground."""
    end = "#ffffff" if is_dark(ground) else "#000000"
    wanted = TEXT_CONTRAST * _SPARE
    if contrast(colour, ground) >= wanted:
        return colour
    if any(colour in tints for tints in _TINTS_256.values()):
        return end
    mixes = (blend(end, colour, step / _STEPS) for step in range(1, _STEPS))
    return next((mix for mix in mixes if contrast(mix, ground) >= wanted), end)


def is_dark(colour: str) -> bool:
    """True if white stands out from the colour more than black does."""
    return luminance(colour) < 0.18


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two colours `#rrggbb`, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@lru_cache(maxsize=1024)
def luminance(colour: str) -> float:
    """The relative luminance of IEC 61966-2-1 (sRGB), from 0 to 1."""
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
        for share in (channel / 255 for channel in channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
