"""The two themes, and the variants' colours as variables of the stylesheet: `$variant-1` and on."""

from typing import Final

from textual.theme import Theme

from gdtui.chart.palette import DARK, LIGHT

COLOURS: Final = len(DARK)


def _variants(palette: tuple[str, ...]) -> dict[str, str]:
    return {f"variant-{place}": colour for place, colour in enumerate(palette, start=1)}


_DARK: Final = Theme(
    name="gdtui-dark",
    dark=True,
    background="#0f1318",
    surface="#161c23",
    panel="#1d252e",
    foreground="#d5dde6",
    primary="#7fb7d9",
    secondary="#9aa7b5",
    accent="#ffd27a",
    warning="#ffc24b",
    error="#ff7a6b",
    success="#6fd3a5",
    variables={
        **_variants(DARK),
        "footer-key-foreground": "#ffd27a",
        "block-cursor-background": "#2c5878",
    },
)
_LIGHT: Final = Theme(
    name="gdtui-light",
    dark=False,
    background="#fbfaf7",
    surface="#f2f0ea",
    panel="#e7e4dc",
    foreground="#22272e",
    primary="#1f6f9f",
    secondary="#5d6874",
    accent="#9a5b00",
    warning="#9a5b00",
    error="#b3261e",
    success="#1c7a4d",
    variables={
        **_variants(LIGHT),
        "footer-key-foreground": "#9a5b00",
        "block-cursor-background": "#bcd9ea",
    },
)
THEMES: Final = {"dark": _DARK, "light": _LIGHT}
