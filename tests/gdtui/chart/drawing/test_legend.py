"""The legend in the lower border, and the parts that are left out where there is no room."""

import pytest

from gdtui.chart.drawing.legend import legend
from gdtui.chart.scene.picture import Picture, Scale, Series

UNIT = Scale(0.0, 1.0)
NAMED = (
    Series("Batch GD", "#0000ff"),
    Series("Mini-batch 512", "#ffa500"),
    Series("SGD", "#00ff00"),
)
GHOST = Series("SGD, before", "#00ff00", faint=True)


def told(*series: Series, width: int, rules: tuple[float, ...] = ()) -> str:
    return "  ".join(text for text, _ in legend(Picture(UNIT, UNIT, series, rules=rules), width))


def test_names_stand_in_their_order_and_colours() -> None:
    entries = legend(Picture(UNIT, UNIT, (GHOST, *NAMED), rules=(0.5,)), 100)
    assert entries == [
        ("━ Batch GD", "#0000ff"),
        ("━ Mini-batch 512", "#ffa500"),
        ("━ SGD", "#00ff00"),
        ("┄ faint: before", ""),
        ("┊ epoch", ""),
    ]


@pytest.mark.parametrize("width", range(100))
def test_it_fits(width: int) -> None:
    assert len(told(GHOST, *NAMED, width=width, rules=(0.5,))) <= width


def test_what_is_said_elsewhere_is_left_out_first() -> None:
    assert told(GHOST, *NAMED, width=57, rules=(0.5,)).endswith("before")
    assert told(GHOST, *NAMED, width=40) == "━ Batch GD  ━ Mini-batch 512  ━ SGD"
    assert told(GHOST, *NAMED, width=34) == "━ Batch GD  ━ Mini-batc  ━ SGD"
    assert told(GHOST, *NAMED, width=20) == ""


def test_one_line_alone_needs_none_but_for_its_ghost() -> None:
    assert told(NAMED[0], width=100) == ""
    assert told(GHOST, NAMED[2], width=100) == "━ SGD  ┄ faint: before"


def test_a_name_cannot_smuggle_control_characters() -> None:
    assert "\x1b" not in told(Series("\x1b[31mred", "#ff0000"), NAMED[0], width=100)
