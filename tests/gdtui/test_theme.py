"""The themes' colours by numbers: readable, and told apart also by those who see fewer colours."""

from itertools import combinations, pairwise

import pytest
from colour_vision import VISION, as_shown, distance
from rich._palettes import STANDARD_PALETTE
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from gdtui.chart.drawing.canvas import BAR_SHARE, GHOST_SHARE
from gdtui.chart.scene.palette import COLOURS, FAINT, INK, blend, is_sparse, variant_colour
from gdtui.chart.scene.tints import contrast
from gdtui.theme import THEMES, colours
from gdtui.theme import themes as fewer_colours

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
def test_line_ghost_bar_grid_and_background_are_steps_apart(theme: Theme, vision: str) -> None:
    background, grid = str(theme.background), theme.variables["grid"]
    for colour in colours(theme):
        steps = [
            colour,
            blend(colour, background, GHOST_SHARE),
            blend(colour, background, BAR_SHARE),
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


@pytest.mark.parametrize("name", THEMES)
@visions
def test_with_256_colours_no_shade_of_a_variant_becomes_another(name: str, vision: str) -> None:
    theme = fewer_colours("256", no_color=False)[name]
    background = str(theme.background)
    shades = [
        [
            colour,
            blend(colour, background, GHOST_SHARE),
            blend(colour, background, BAR_SHARE),
            background,
        ]
        for colour in colours(theme)
    ]
    shown = [[as_shown(shade, ColorSystem.EIGHT_BIT) for shade in row] for row in shades]
    assert len({shade for row in shown for shade in row}) == 3 * COLOURS + 1
    for (i, one), (j, other) in combinations(enumerate(shown), 2):
        # Lines, ghosts, bars: of the lesson's three at a glance, of the others by normal
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
        paler = blend(colour, background, BAR_SHARE)
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
        assert blend(INK, str(theme.background), BAR_SHARE) == FAINT
        assert set(theme.variables.values()) <= {INK, FAINT, "reverse"}


def test_with_all_colours_there_are_no_numbers() -> None:
    assert fewer_colours("truecolor", no_color=False) == THEMES
    for theme in (*THEMES.values(), *fewer_colours("256", no_color=False).values()):
        assert not is_sparse(colours(theme))
