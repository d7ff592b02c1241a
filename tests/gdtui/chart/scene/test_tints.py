"""Bands by numbers: text over any of them is legible, and lines stand out."""

from itertools import combinations

import pytest
from colour_vision import VISION, as_shown, distance
from rich.color import ColorSystem
from textual.theme import Theme

from gdtui.chart.scene.palette import COLOURS, INK, ON_BLACK, ON_WHITE, channels
from gdtui.chart.scene.tints import TEXT_CONTRAST, contrast, is_dark, legible, mixed, tint
from gdtui.theme import THEMES, colours
from gdtui.theme import themes as fewer_colours

OF_256 = fewer_colours("256", no_color=False)
TINTED = {**THEMES, **{f"{name}-256": theme for name, theme in OF_256.items()}}
tinted = pytest.mark.parametrize("theme", TINTED.values(), ids=list(TINTED))


def grounds(theme: Theme, most: int = COLOURS) -> set[str]:
    """Every background that bands of up to three variants can make, and of all of them at once."""
    background = str(theme.background)
    tints = [tint(colour, background) for colour in colours(theme)[:most]]
    sets = [each for count in (1, 2, 3, len(tints)) for each in combinations(tints, count)]
    return {mixed(each, background) for each in sets}


def shown(theme: Theme, colour: str) -> str:
    return as_shown(colour, ColorSystem.EIGHT_BIT) if theme in OF_256.values() else colour


@tinted
def test_text_is_legible_over_any_band(theme: Theme) -> None:
    texts = (*colours(theme), theme.variables["label"], str(theme.foreground))
    for ground in grounds(theme):
        for text in texts:
            told = shown(theme, legible(text, ground))
            assert contrast(told, shown(theme, ground)) >= TEXT_CONTRAST, (text, ground)


@tinted
def test_text_keeps_its_colour_where_that_is_legible(theme: Theme) -> None:
    assert all(
        legible(one, str(theme.background)) == one
        for one in colours(theme)
        if contrast(one, str(theme.background)) >= 1.1 * TEXT_CONTRAST
    )


@tinted
@pytest.mark.parametrize("vision", VISION)
def test_the_three_lines_stand_apart_from_each_other_and_from_any_band(
    theme: Theme, vision: str
) -> None:
    lines = [shown(theme, colour) for colour in colours(theme)[:3]]
    least = 15 if theme in OF_256.values() else 20
    for one, other in combinations(lines, 2):
        assert distance(one, other, vision) >= least
    for ground in grounds(theme, 3):
        for line in lines:
            assert distance(line, shown(theme, ground), vision) >= 20, (line, ground)
            assert contrast(line, shown(theme, ground)) >= 2.2, (line, ground)


@tinted
def test_a_band_is_seen_and_dimmer_than_any_line(theme: Theme) -> None:
    background = str(theme.background)
    lines = [contrast(colour, background) for colour in colours(theme)]
    for colour in colours(theme):
        seen = shown(theme, tint(colour, background))
        assert distance(seen, background) >= 7
        assert contrast(seen, background) < 0.6 * min(lines)


@tinted
@pytest.mark.parametrize("vision", VISION)
def test_the_bands_of_the_first_three_are_told_apart_and_so_is_an_overlap(
    theme: Theme, vision: str
) -> None:
    background = str(theme.background)
    tints = [tint(colour, background) for colour in colours(theme)[:3]]
    for one, other in combinations([background, *tints], 2):
        assert distance(shown(theme, one), shown(theme, other), vision) >= 3, (one, other)
    for pair in combinations(tints, 2):
        both = shown(theme, mixed(pair, background))
        assert all(distance(both, shown(theme, one)) >= 4 for one in (*pair, background))


@pytest.mark.parametrize("theme", OF_256.values(), ids=list(OF_256))
def test_with_256_colours_bands_are_no_more_vivid_than_a_pastel(theme: Theme) -> None:
    for ground in grounds(theme):
        levels = channels(shown(theme, ground))
        assert max(levels) - min(levels) <= (0 if is_dark(ground) else 0x50)


@pytest.mark.parametrize("colour", [*ON_BLACK, INK])
def test_sixteen_colours_and_none_have_no_tints(colour: str) -> None:
    assert tint(colour, "#000000") == ""


@pytest.mark.parametrize("colour", ON_WHITE)
def test_nor_do_sixteen_on_white(colour: str) -> None:
    assert tint(colour, "#ffffff") == ""


def test_how_bands_mix_does_not_depend_on_their_order() -> None:
    assert mixed(("#640000", "#006432"), "#000000") == "#474723"
    assert mixed(("#006432", "#640000"), "#000000") == "#474723"
    assert mixed(("#262626", "#303030"), "#121212") == "#444444"
    assert mixed(("#303030", "#262626", "#262626"), "#121212") == "#4e4e4e"
    assert mixed(("#123456",), "#000000") == "#123456"
