"""The colours of the variants, dark and light, and how colours are blended. Imports nothing.

After Okabe and Ito's set, which stays apart for every common form of colour blindness; lightened or
darkened until each has a contrast of at least 3 : 1 against its theme's background.
"""

from typing import Final

DARK: Final = ("#56b4e9", "#e69f00", "#2fc796", "#e58fc0", "#f0e442", "#ff7f51", "#a9a5ff", "#c9ced6")
"""Blue, orange, green, pink, yellow, vermilion, violet, grey: on a dark background."""

LIGHT: Final = (
    "#0072b2",
    "#b86e00",
    "#00805c",
    "#b3508a",
    "#857400",
    "#c44600",
    "#6a5acd",
    "#5b6470",
)
"""The same hues in the same order, for a light background."""


def variant_colour(index: int, *, dark: bool) -> str:
    """The fixed colour of the variant at this place, `#rrggbb`; beyond the palette it repeats."""
    palette = DARK if dark else LIGHT
    return palette[index % len(palette)]


def blend(colour: str, background: str, share: float) -> str:
    """`share` of the colour over the background, both `#rrggbb`."""
    mixed = (
        round(b + (c - b) * share) for c, b in zip(_channels(colour), _channels(background), strict=True)
    )
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
