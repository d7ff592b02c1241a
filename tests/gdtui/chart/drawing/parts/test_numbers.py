"""The numbers along lines where colours cannot tell them apart."""

from dataclasses import replace

import numpy as np
import pytest

from gdtui.chart.drawing.canvas import compose
from gdtui.chart.drawing.cells import Cells
from gdtui.chart.drawing.legend import legend
from gdtui.chart.scene.layout import places
from gdtui.chart.scene.palette import FAINT, INK
from gdtui.chart.scene.picture import Picture, Scale, Series
from gdtui.chart.scene.polyline import Polyline

WIDTH, HEIGHT = 100, 20
X, Y = Scale(0.0, 100.0), Scale(0.0, 1.0)


def flat(label: str, at: float, number: str, end: float = 100.0, *, faint: bool = False) -> Series:
    x = np.linspace(0, end, 300)
    y = np.full(300, at)
    return Series(label, INK, Polyline(x, y, y), number=number, faint=faint)


def drawn(*series: Series) -> tuple[list[str], Cells]:
    cells = Cells.blank(WIDTH, HEIGHT)
    compose(Picture(X, Y, series), cells, "#000000")
    return ["".join(map(chr, row)) for row in cells.characters], cells


def test_each_line_has_its_number_along_it_and_at_its_end() -> None:
    rows, cells = drawn(
        flat("a", 0.75, "1"), flat("b", 0.25, "2", end=50.0), flat("c", 0.5, "3", faint=True)
    )
    found = {
        digit: [(y, x) for y, row in enumerate(rows) for x, c in enumerate(row) if c == digit]
        for digit in "123"
    }
    assert {digit: len({y for y, _ in at}) for digit, at in found.items()} == {
        "1": 1,
        "2": 1,
        "3": 1,
    }
    assert max(x for _, x in found["1"]) >= WIDTH - 2
    assert 48 <= max(x for _, x in found["2"]) <= 51, "at the end of what has been trained"
    assert [x for _, x in found["1"]][:-1] == list(places(0, 3, WIDTH))
    ink = {digit: cells.palette[cells.inks[at[0]]] for digit, at in found.items()}
    assert ink == {"1": INK, "2": INK, "3": FAINT}


def test_they_stand_still_while_a_line_grows() -> None:
    short, long = (drawn(flat("a", 0.5, "1", end=end))[0] for end in (40.0, 80.0))
    inner = [x for x in places(0, 1, WIDTH) if x < 39]
    row = next(y for y, text in enumerate(long) if "1" in text)
    assert all(short[row][x] == long[row][x] == "1" for x in inner)


@pytest.mark.parametrize("turns", [1, 3, 9])
def test_no_two_lines_write_into_one_column(turns: int) -> None:
    taken = [column for turn in range(turns) for column in places(turn, turns, 300)]
    assert len(set(taken)) == len(taken)


def test_without_a_number_there_is_none() -> None:
    rows, _ = drawn(replace(flat("a", 0.5, "1"), number=""))
    assert not any("1" in row for row in rows)


def test_the_legend_names_the_number_instead_of_the_colour() -> None:
    picture = Picture(X, Y, (flat("a", 0.5, "1"), flat("b", 0.2, "2")))
    assert [text for text, _ in legend(picture, 80)] == ["1 a", "2 b"]


@pytest.mark.parametrize("end", [20.0, 30.0, 36.0, 37.0, 44.0, 60.0])
def test_the_text_at_the_end_of_a_line_does_not_repeat_its_number(end: float) -> None:
    rows, _ = drawn(replace(flat("a", 0.5, "1", end=end), end="1 Batch GD 0.35"))
    (row,) = (text for text in rows if "Batch GD" in text)
    assert row.count("1 Batch GD 0.35") == 1
    before = row[: row.index("1 Batch GD")]
    assert "1" in before
    assert "1" not in before[-3:]
