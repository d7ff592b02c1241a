"""Marks beyond the axis, and the count beside one of them."""

import numpy as np
import pytest

from gdtui.chart.drawing.canvas import compose
from gdtui.chart.drawing.cells import Cells
from gdtui.chart.scene.picture import Picture, Scale, Series
from gdtui.chart.scene.polyline import Polyline

UNIT = Scale(0.0, 1.0)
WIDTH, HEIGHT = 40, 8


def rows(high: dict[int, float], above: str, below: str = "") -> list[str]:
    """A chart whose losses leave the axis in these columns of cells."""
    x = (np.arange(WIDTH) + 0.5) / WIDTH
    low, top = np.full(WIDTH, 0.4), np.full(WIDTH, 0.6)
    for column, value in high.items():
        top[column], low[column] = max(value, 0.6), min(value, 0.4)
    series = Series("a", "#0000ff", reach=Polyline(x, low, top))
    cells = Cells.blank(WIDTH, HEIGHT)
    compose(Picture(UNIT, UNIT, (series,), above=above, below=below), cells, "#000000")
    return ["".join(run.text for run in cells.runs(row)) for row in range(HEIGHT)]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([10], "▲ 1 above 1.0"),
        ([38], "1 above 1.0 ▲"),
        ([3, 10], "▲      ▲ 1 above 1.0"),
        ([10, 14], "▲   ▲ 1 above 1.0"),
        ([22, 36], "▲ 1 above 1.0 ▲"),
    ],
)
def test_the_count_is_beside_the_last_mark_with_room_for_it(
    columns: list[int], expected: str
) -> None:
    top = rows(dict.fromkeys(columns, 7.0), "1 above 1.0")[0]
    assert top.strip() == expected
    assert [at for at, character in enumerate(top) if character == "▲"] == columns


def test_losses_below_are_counted_at_the_bottom() -> None:
    assert rows({5: -3.0}, "", "2 below 0")[-1].strip() == "▼ 2 below 0"


def test_without_a_mark_or_room_there_is_no_count() -> None:
    assert not "".join(rows({}, "1 above 1.0")).strip()
    assert rows(dict.fromkeys(range(WIDTH), 7.0), "1 above 1.0")[0] == "▲" * WIDTH
    assert rows({10: 7.0}, "1 above 1.0" * 3)[0].strip() == "▲"


@pytest.mark.parametrize("kind", ["points", "validation"])
def test_single_values_beyond_the_axis_are_marked_too(kind: str) -> None:
    values = np.array([0.5, 7.0, -2.0, np.nan, 7.0])
    at = np.array([0.1, 0.3125, 0.6125, 0.7, 1.5])
    series = Series("a", "#0000ff", **{kind: Polyline(at, values, values)})
    cells = Cells.blank(WIDTH, HEIGHT)
    compose(Picture(UNIT, UNIT, (series,), above="1 ◇ above 1.0"), cells, "#000000")
    text = ["".join(run.text for run in cells.runs(row)) for row in range(HEIGHT)]
    assert text[0].rstrip() == " " * 12 + "▲ 1 ◇ above 1.0"
    assert text[-1].rstrip() == " " * 24 + "▼"
    assert cells.palette[cells.inks[0, 12]] == "#0000ff"
