"""The colours of the variants in each theme, and how colours are blended. Imports nothing.

The hues of Okabe and Ito's set, moved in lightness until any two differ for every common form of
colour blindness, and each can be read as text on its theme's backgrounds: the tests measure both.
"""

from typing import Final

DARK: Final = ("#169cd3", "#e69f00", "#5de9ad", "#c37ca6", "#e5db31", "#eb7949", "#bcb2ff", "#b4a299")
"""Blue, orange, green, pink, yellow, vermilion, violet, grey: on a dark background."""

LIGHT: Final = ("#126faf", "#9b5700", "#0a4223", "#811e54", "#534e18", "#c33c34", "#563db5", "#4f6572")
"""The same hues in the same order, for a light background."""

CONTRAST: Final = ("#0bbdfb", "#ffb100", "#34ffc0", "#d48cbf", "#fff461", "#ff8965", "#d3c0f3", "#ffffff")
"""The same hues, on black."""


def variant_colour(index: int, colours: tuple[str, ...]) -> str:
    """The fixed colour of the variant at this place, `#rrggbb`; beyond the palette it repeats."""
    return colours[index % len(colours)]


def blend(colour: str, background: str, share: float) -> str:
    """`share` of the colour over the background, both `#rrggbb`."""
    mixed = (
        round(b + (c - b) * share) for c, b in zip(_channels(colour), _channels(background), strict=True)
    )
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
