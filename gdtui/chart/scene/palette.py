"""The variants' colours in each theme, and blends of colours. Imports no other part of gdtui.

The hues of Okabe and Ito's set, moved in lightness until any two differ for every common form of
colour blindness, and each can be read as text on its theme's backgrounds: the tests measure both.
"""

from functools import lru_cache
from typing import Final

DARK: Final = (
    "#169cd3",
    "#e69f00",
    "#5de9ad",
    "#c37ca6",
    "#e5db31",
    "#eb7949",
    "#bcb2ff",
    "#b4a299",
    "#d236fc",
)
"""Blue, orange, green, pink, yellow, vermilion, violet, grey, magenta: on a dark background."""

COLOURS: Final = len(DARK)
"""Number of colours in every palette; further variants reuse them in order."""

LIGHT: Final = (
    "#126faf",
    "#9d5600",
    "#0a4223",
    "#811e54",
    "#534e18",
    "#c33c34",
    "#563db5",
    "#4f6572",
    "#9600fc",
)
"""The same hues in the same order, for a light background."""

CONTRAST: Final = (
    "#0bbdfb",
    "#ffb100",
    "#34ffc0",
    "#d48cbf",
    "#fff461",
    "#ff8965",
    "#d3c0f3",
    "#fdfdfd",
    "#fc7cf0",
)
"""The same hues, on black."""

ON_BLACK: Final = (
    "#55ffff",
    "#ffff55",
    "#ff55ff",
    "#55ff55",
    "#ff5555",
    "#5555ff",
    "#ffffff",
    "#aaaaaa",
    "#aa5500",
)
"""The terminal's sixteen colours as rich maps them: cyan, yellow, magenta, green, red, … brown."""

ON_WHITE: Final = (
    "#0000aa",
    "#aa0000",
    "#00aa00",
    "#aa00aa",
    "#aa5500",
    "#00aaaa",
    "#000000",
    "#555555",
    "#5555ff",
)
"""Blue, red, green, magenta, brown, cyan, black, grey, light blue."""

Shades = tuple[str, str, str]
"""A colour, its paler shade (ghosts, marks), and its faint shade (bars)."""

DARK_256: Final[tuple[Shades, ...]] = (
    ("#5fafd7", "#0087af", "#005f87"),
    ("#d78700", "#af5f00", "#5f5f00"),
    ("#5fffaf", "#5faf87", "#00875f"),
    ("#d787af", "#af5f87", "#87005f"),
    ("#ffff5f", "#afaf00", "#878700"),
    ("#ff875f", "#d75f5f", "#870000"),
    ("#afafff", "#8787d7", "#5f5faf"),
    ("#9e9e9e", "#767676", "#4e4e4e"),
    ("#d700ff", "#8700af", "#870087"),
)
"""DARK out of a terminal's 256: blended, colours of neighbouring hues would become the same there.
"""

LIGHT_256: Final[tuple[Shades, ...]] = (
    ("#005faf", "#5f87d7", "#afd7ff"),
    ("#af5f00", "#d78700", "#ffd7af"),
    ("#00875f", "#5faf87", "#afd7d7"),
    ("#af005f", "#d75faf", "#ffafd7"),
    ("#5f5f00", "#87875f", "#d7d787"),
    ("#af0000", "#d75f5f", "#ffafaf"),
    ("#5f00d7", "#875fd7", "#afafff"),
    ("#767676", "#949494", "#b2b2b2"),
    ("#af00ff", "#875faf", "#d7afff"),
)

CONTRAST_256: Final[tuple[Shades, ...]] = (
    ("#00afff", "#0087af", "#005f87"),
    ("#ffaf00", "#af8700", "#875f00"),
    ("#5fffaf", "#00af87", "#00875f"),
    ("#d787af", "#af5f87", "#87005f"),
    ("#ffff5f", "#afaf5f", "#5f5f00"),
    ("#ff875f", "#d75f5f", "#870000"),
    ("#d7afff", "#8787d7", "#5f5f87"),
    ("#eeeeee", "#949494", "#585858"),
    ("#ff5fff", "#8700af", "#870087"),
)

INK: Final = "#fefefe"
"""The only colour in themes without colours; it becomes the terminal's own foreground."""
FAINT: Final = "#7f7f7f"
"""The paler shade in themes without colours; it becomes the attribute "dim"."""

_FAINT_SHARE: Final = 0.5
"""A share below this makes a colour faint, in themes that cannot blend shades."""


def _paler(colours: tuple[str, ...], *paler: str) -> dict[str, tuple[str, str]]:
    """Each colour with its paler one; with sixteen colours there is only one step."""
    return {colour: (pale, pale) for colour, pale in zip(colours, paler, strict=True)}


def _steps(shades: tuple[Shades, ...]) -> dict[str, tuple[str, str]]:
    return {full: (back, faint) for full, back, faint in shades}


_PALER: Final = {
    "#000000": _steps(CONTRAST_256)
    | _paler(
        (*ON_BLACK, INK),
        *(
            "#00aaaa",
            "#aa5500",
            "#aa00aa",
            "#00aa00",
            "#aa0000",
            "#0000aa",
            "#aaaaaa",
            "#555555",
            "#555555",
            FAINT,
        ),
    ),
    "#ffffff": _steps(LIGHT_256)
    | _paler(
        ON_WHITE,
        *(
            "#5555ff",
            "#ff5555",
            "#55ff55",
            "#ff55ff",
            "#ffff55",
            "#55ffff",
            "#555555",
            "#aaaaaa",
            "#aaaaaa",
        ),
    ),
    "#121212": _steps(DARK_256),
}
"""The paler and the faint colour, by background, in themes that cannot blend shades."""


def is_sparse(colours: tuple[str, ...]) -> bool:
    """True if colours do not suffice to distinguish variants: sixteen colours, or none."""
    return colours in (ON_BLACK, ON_WHITE) or len(set(colours)) == 1


def variant_colour(index: int, colours: tuple[str, ...]) -> str:
    """The fixed colour of the variant with this index, `#rrggbb`; the palette repeats."""
    return colours[index % len(colours)]


@lru_cache(maxsize=1024)
def blend(colour: str, background: str, share: float) -> str:
    """The colour blended with the background by `share`, both `#rrggbb`.

    In themes that cannot blend shades, a paler or faint colour of the theme.
    """
    if share < 1 and (paler := _PALER.get(background, {}).get(colour)):
        return paler[share < _FAINT_SHARE]
    mixed = (
        round(b + (c - b) * share)
        for c, b in zip(channels(colour), channels(background), strict=True)
    )
    return hexadecimal(tuple(mixed))


def channels(colour: str) -> tuple[int, ...]:
    """Red, green and blue of `#rrggbb`, each 0…255."""
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def hexadecimal(channels: tuple[int, ...]) -> str:
    """The colour `#rrggbb` of these channels."""
    return "#" + "".join(f"{channel:02x}" for channel in channels)
