"""The three themes for as many colours as the terminal has; variant colours are `$variant-1` ….

`$edge`, `$axis`, `$grid` and `$label` are the greys of borders and charts, `$quiet` the grey of
secondary text, `$map-low` and `$map-high` the ends of the landscape's shades.
"""

from dataclasses import replace
from typing import Final

from textual.theme import Theme

from gdtui.chart.scene.palette import (
    COLOURS,
    CONTRAST,
    CONTRAST_256,
    DARK,
    DARK_256,
    FAINT,
    INK,
    LIGHT,
    LIGHT_256,
    ON_BLACK,
    ON_WHITE,
    Shades,
)


def colours(theme: Theme) -> tuple[str, ...]:
    """The variants' colours in one of our themes, `#rrggbb`."""
    return tuple(theme.variables[f"variant-{place}"] for place in range(1, COLOURS + 1))


def ink(theme: Theme) -> str:
    """The colour of text in one of our themes."""
    return theme.foreground or ""


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
        "edge": "#4a515a",
        "axis": "#545a61",
        "grid": "#2b2f35",
        "label": "#90969e",
        "quiet": "#8f969e",
        "footer-key-foreground": "#ffd27a",
        "block-cursor-background": "#2c5878",
        "map-low": "#1a232b",
        "map-high": "#547990",
    },
)
_LIGHT: Final = Theme(
    name="gdtui-light",
    dark=False,
    background="#fbfaf7",
    surface="#f2f0ea",
    panel="#e7e4dc",
    foreground="#14181d",
    primary="#1b6894",
    secondary="#5d6874",
    accent="#8a5200",
    warning="#8a5200",
    error="#b3261e",
    success="#12683f",
    variables={
        **_variants(LIGHT),
        "edge": "#b6b6b6",
        "axis": "#aaabac",
        "grid": "#dadad9",
        "label": "#5f6367",
        "quiet": "#5f6367",
        "footer-key-foreground": "#8a5200",
        "block-cursor-background": "#bcd9ea",
        "map-low": "#e5ebed",
        "map-high": "#709fba",
    },
)
_HIGH_CONTRAST: Final = Theme(
    name="gdtui-high-contrast",
    dark=True,
    background="#000000",
    surface="#0a0a0a",
    panel="#1c1c1c",
    foreground="#ffffff",
    primary="#8fd3ff",
    secondary="#d0d0d0",
    accent="#ffe14d",
    warning="#ffd23f",
    error="#ff9a8c",
    success="#7dffb2",
    variables={
        **_variants(CONTRAST),
        "edge": "#b0b0b0",
        "axis": "#c0c0c0",
        "grid": "#3c3c3c",
        "label": "#ffffff",
        "quiet": "#dcdcdc",
        "footer-key-foreground": "#ffe14d",
        "block-cursor-background": "#005f9e",
        "map-low": "#0e151a",
        "map-high": "#59839e",
    },
)
THEMES: Final = {"dark": _DARK, "light": _LIGHT, "high-contrast": _HIGH_CONTRAST}


def themes(color_system: str | None, *, no_color: bool) -> dict[str, Theme]:
    """The themes by name, for rich's name of a color system: "truecolor", "256", "standard"."""
    if no_color:
        plain = {
            name: _plain(theme.name, INK, FAINT, "#000000", (INK,))
            for name, theme in THEMES.items()
        }
        for theme in plain.values():
            theme.variables["input-cursor-text-style"] = "reverse"
        return plain
    if color_system == "standard":
        return {name: _sixteen(theme) for name, theme in THEMES.items()}
    if color_system == "256":
        return {name: _of_256(theme, *_256[name]) for name, theme in THEMES.items()}
    return THEMES


_256: Final = {
    "dark": (DARK_256, ("#121212", "#1c1c1c", "#262626"), ("#1c1c1c", "#808080")),
    "light": (LIGHT_256, ("#ffffff", "#ffffff", "#d7d7d7"), ("#ffffff", "#8a8a8a")),
    "high-contrast": (CONTRAST_256, ("#000000", "#121212", "#303030"), ("#080808", "#808080")),
}
"""The variants' shades by theme; background, surface and panel, which would all become black or
white; the landscape's low and high as greys, which have shades."""


def _of_256(
    theme: Theme,
    shades: tuple[Shades, ...],
    grounds: tuple[str, str, str],
    heights: tuple[str, str],
) -> Theme:
    """The theme in the colours of a 256-colour terminal."""
    background, surface, panel = grounds
    variables = theme.variables | _variants(tuple(full for full, _, _ in shades))
    variables |= {"map-low": heights[0], "map-high": heights[1]}
    return replace(theme, background=background, surface=surface, panel=panel, variables=variables)


def _sixteen(theme: Theme) -> Theme:
    """The theme in the terminal's sixteen colours, as rich maps them."""
    if theme.dark:
        return _plain(theme.name, "#ffffff", "#555555", "#000000", ON_BLACK, "#aaaaaa", "#ffff55")
    return _plain(theme.name, "#000000", "#aaaaaa", "#ffffff", ON_WHITE, "#555555", "#aa0000")


def _plain(
    name: str,
    ink: str,
    faint: str,
    background: str,
    palette: tuple[str, ...],
    quiet: str | None = None,
    accent: str | None = None,
) -> Theme:
    """A theme of few colours; `palette` is repeated until every variant has a colour."""
    quiet, accent = quiet or ink, accent or ink
    repeated = (palette * COLOURS)[:COLOURS]
    greys = {"edge": faint, "axis": faint, "grid": faint, "label": quiet, "quiet": quiet}
    greys |= {"map-low": faint, "map-high": quiet}
    keys = {"footer-key-foreground": accent, "block-cursor-background": faint}
    return Theme(
        name=name,
        dark=background == "#000000",
        background=background,
        surface=background,
        panel=background,
        foreground=ink,
        primary=accent,
        secondary=accent,
        accent=accent,
        warning=accent,
        error=accent,
        success=accent,
        variables={**_variants(repeated), **greys, **keys},
    )
