"""The histogram beside a chart: a needle, a band, a cloud, on the rows of its y axis."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.chart.drawing.profile import inline, profile
from gdtui.chart.scene.picture import Scale

Y = Scale(0.0, 1.0)
COLUMNS, ROWS = 6, 10


def lengths(values: list[float] | np.ndarray, y: Scale = Y) -> list[int]:
    """Half columns of each half row, from the top."""
    rows = profile(np.asarray(values, np.float64), y, COLUMNS, ROWS)
    halves = {
        " ": (0, 0), "▀": (2, 0), "▄": (0, 2), "█": (2, 2), "▘": (1, 0), "▖": (0, 1),
        "▌": (1, 1), "▛": (2, 1), "▙": (1, 2),
    }  # fmt: skip
    return [sum(halves[character][half] for character in row) for row in rows for half in (0, 1)]


def test_one_value_is_a_needle_at_its_height() -> None:
    assert lengths([0.52]) == [0] * 9 + [2 * COLUMNS] + [0] * 10


def test_values_all_over_the_axis_are_as_long_everywhere() -> None:
    assert lengths(np.linspace(0.025, 0.975, 20)) == [2 * COLUMNS] * 20


def test_bars_are_the_roots_of_counts_and_none_vanishes() -> None:
    values = [0.92] * 400 + [0.72] * 100 + [0.52]
    assert [length for length in lengths(values) if length] == [12, 6, 1]


def test_a_log_axis_bins_by_magnitude() -> None:
    y = Scale(0.01, 100.0, log=True)
    assert [at for at, length in enumerate(lengths([1.1, 11.0, 0.0], y)) if length] == [4, 9]


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf, -np.inf], [7.0, -7.0]])
def test_what_cannot_be_placed_is_not_there(values: list[float]) -> None:
    assert lengths(values) == [0] * 20


@given(
    st.lists(st.floats(width=32), max_size=50),
    st.integers(-1, 30),
    st.integers(0, 30),
    st.tuples(st.floats(), st.floats(), st.booleans()),
)
def test_it_is_always_a_rectangle(
    values: list[float], columns: int, rows: int, axis: tuple[float, float, bool]
) -> None:
    drawn = profile(np.array(values, np.float64), Scale(*axis[:2], log=axis[2]), columns, rows)
    assert [len(row) for row in drawn] == [max(columns, 0)] * rows


# --- In a line ------------------------------------------------------------------------------------


def test_in_a_line_bars_stand_from_the_low_end_of_the_axis() -> None:
    assert inline(np.array([0.5]), Y, 6) == "   █"
    assert inline(np.array([0.05] * 64 + [0.25] * 16 + [0.9]), Y, 6) == "█▄   ▁"
    assert inline(np.linspace(0.01, 0.99, 60), Y, 6) == "██████"


def test_in_a_line_what_is_beyond_the_axis_is_at_its_ends_and_gaps_are_nowhere() -> None:
    assert inline(np.array([-3.0, 7.0, np.nan, np.inf]), Y, 6) == "█    █"
    assert inline(np.array([np.nan]), Y, 6) == inline(np.empty(0), Y, 6) == ""


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=100), st.integers(1, 12))
def test_in_a_line_it_has_a_full_bar_and_fits(values: list[float], cells: int) -> None:
    text = inline(np.array(values), Y, cells)
    assert "█" in text
    assert len(text) <= cells
    assert set(text) <= set(" ▁▂▃▄▅▆▇█")
