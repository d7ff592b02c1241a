"""The themes' colours by numbers: readable, and told apart also by those who see fewer colours."""

from itertools import combinations, pairwise
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from rich._palettes import STANDARD_PALETTE
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from gdtui.chart.drawing.canvas import ENVELOPE_SHARE, GHOST_SHARE
from gdtui.chart.scene.palette import COLOURS, FAINT, INK, blend, is_sparse, variant_colour
from gdtui.theme import THEMES, colours
from gdtui.theme import themes as fewer_colours

Vector = NDArray[np.float64]

# G. M. Machado, M. M. Oliveira, L. A. F. Fernandes: A Physiologically-based Model for Simulation of
# Color Vision Deficiency, IEEE Trans. Visualization and Computer Graphics 15(6), 2009: severity
# 1.0, linear RGB.
VISION: Final = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# IEC 61966-2-1 (sRGB): linear RGB to XYZ, white D65.
TO_XYZ: Final = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE: Final = np.array([0.95047, 1.0, 1.08883])


def linear(colour: str) -> Vector:
    """sRGB to linear, as in IEC 61966-2-1."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratios: 4.5 for text (1.4.3), 3 for graphics (1.4.11), 7 enhanced."""
    dark, light = sorted(float(linear(colour) @ TO_XYZ[1]) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: Vector) -> Vector:
    """CIE 1976 L*a*b* of linear RGB."""
    share = TO_XYZ @ np.clip(rgb, 0, 1) / WHITE
    f = np.where(share > 216 / 24389, np.cbrt(share), (24389 / 27 * share + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, vision: str = "normal") -> float:
    """ΔE*ab as seen so; about 2.3 can just be told apart side by side."""
    seen = [lab(VISION[vision] @ linear(colour)) for colour in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


themes = pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
visions = pytest.mark.parametrize("vision", VISION)


def backgrounds(theme: Theme) -> list[str]:
    return [str(theme.background), str(theme.surface)]


@themes
def test_a_variants_colour_can_be_read_as_text(theme: Theme) -> None:
    least = 7.0 if "contrast" in theme.name else 4.5
    for colour in colours(theme):
        for background in backgrounds(theme):
            assert contrast(colour, background) >= least, (colour, background)


@themes
def test_every_other_text_can_be_read(theme: Theme) -> None:
    least = 7.0 if "contrast" in theme.name else 4.5
    texts = {name: theme.variables[name] for name in ("label", "quiet", "footer-key-foreground")}
    named = ("foreground", "primary", "accent", "warning", "error", "success")
    texts.update({name: getattr(theme, name) for name in named})
    for name, colour in texts.items():
        for background in (*backgrounds(theme), str(theme.panel)):
            assert contrast(colour, background) >= least, (name, background)


@themes
@visions
def test_any_two_variants_can_be_told_apart(theme: Theme, vision: str) -> None:
    """The first three, those of the lesson, at a glance."""
    for (i, one), (j, other) in combinations(enumerate(colours(theme)), 2):
        assert distance(one, other, vision) >= (20 if max(i, j) < 3 else 10), (i, j)


@themes
@visions
def test_line_ghost_envelope_grid_and_background_are_steps_apart(theme: Theme, vision: str) -> None:
    background, grid = str(theme.background), theme.variables["grid"]
    for colour in colours(theme):
        steps = [
            colour,
            blend(colour, background, GHOST_SHARE),
            blend(colour, background, ENVELOPE_SHARE),
            background,
        ]
        for nearer, farther in pairwise(steps):
            assert distance(nearer, farther, vision) >= 8, (colour, nearer, farther)
            assert contrast(nearer, background) > contrast(farther, background)
        assert contrast(steps[1], background) >= 2.0, "a ghost is a line to be read"
        assert contrast(steps[2], background) > contrast(grid, background)
    assert 1.1 < contrast(grid, background) < contrast(theme.variables["axis"], background)


@themes
def test_all_themes_name_the_same_variables_and_colours_repeat(theme: Theme) -> None:
    assert theme.variables.keys() == THEMES["dark"].variables.keys()
    assert all(Color.parse(colour).hex6.lower() == colour for colour in colours(theme))
    assert len(set(colours(theme))) == COLOURS
    assert variant_colour(COLOURS + 2, colours(theme)) == colours(theme)[2]


# --- Fewer colours --------------------------------------------------------------------------------


def as_shown(colour: str, system: ColorSystem) -> str:
    """The colour that rich shows on a terminal with fewer of them."""
    return str(RichColor.parse(colour).downgrade(system).get_truecolor().hex)


@pytest.mark.parametrize("name", THEMES)
@visions
def test_with_256_colours_no_shade_of_a_variant_becomes_another(name: str, vision: str) -> None:
    theme = fewer_colours("256", no_color=False)[name]
    background = str(theme.background)
    shades = [
        [
            colour,
            blend(colour, background, GHOST_SHARE),
            blend(colour, background, ENVELOPE_SHARE),
            background,
        ]
        for colour in colours(theme)
    ]
    shown = [[as_shown(shade, ColorSystem.EIGHT_BIT) for shade in row] for row in shades]
    assert len({shade for row in shown for shade in row}) == 3 * COLOURS + 1
    for (i, one), (j, other) in combinations(enumerate(shown), 2):
        # Lines, ghosts, envelopes: of the lesson's three at a glance, of the others by normal
        # sight.
        for step in range(3):
            if max(i, j) < 3 or vision == "normal":
                assert distance(one[step], other[step], vision) >= 6, (i, j, step)
    for row in shown:
        for nearer, farther in pairwise(row):
            assert distance(nearer, farther, vision) >= 7
            assert contrast(nearer, row[-1]) > contrast(farther, row[-1])


@pytest.mark.parametrize("name", THEMES)
def test_with_256_colours_header_and_dialogs_still_stand_out_and_text_can_be_read(
    name: str,
) -> None:
    theme = fewer_colours("256", no_color=False)[name]
    grounds = [
        as_shown(str(each), ColorSystem.EIGHT_BIT) for each in (theme.background, theme.panel)
    ]
    assert contrast(*grounds) > 1.1
    texts = (theme.foreground, theme.accent, theme.variables["quiet"], *colours(theme))
    for text in texts:
        least = 7.0 if "contrast" in theme.name else 4.5
        assert contrast(as_shown(str(text), ColorSystem.EIGHT_BIT), grounds[0]) >= least, text


@pytest.mark.parametrize("name", THEMES)
@visions
def test_with_16_colours_each_variant_has_one_of_its_own_and_a_paler_one(
    name: str, vision: str
) -> None:
    theme = fewer_colours("standard", no_color=False)[name]
    background = str(theme.background)
    sixteen = {
        "#" + "".join(f"{channel:02x}" for channel in STANDARD_PALETTE[i]) for i in range(16)
    }
    assert len(set(colours(theme))) == COLOURS
    assert is_sparse(colours(theme)), "numbers help"
    for place, colour in enumerate(colours(theme)):
        paler = blend(colour, background, ENVELOPE_SHARE)
        assert {colour, paler} <= sixteen
        assert len({colour, paler, background}) == 3
        assert paler == blend(colour, background, GHOST_SHARE)
        for other in colours(theme)[:place]:
            assert distance(colour, other, vision) >= (20 if place < 3 else 7)
    assert {theme.variables[name] for name in ("edge", "axis", "grid", "label", "quiet")} <= sixteen


def test_without_colours_everything_is_ink_or_faint() -> None:
    for theme in fewer_colours("truecolor", no_color=True).values():
        assert set(colours(theme)) == {INK}
        assert is_sparse(colours(theme))
        assert blend(INK, str(theme.background), ENVELOPE_SHARE) == FAINT
        assert set(theme.variables.values()) <= {INK, FAINT, "reverse"}


def test_with_all_colours_there_are_no_numbers() -> None:
    assert fewer_colours("truecolor", no_color=False) == THEMES
    for theme in (*THEMES.values(), *fewer_colours("256", no_color=False).values()):
        assert not is_sparse(colours(theme))
