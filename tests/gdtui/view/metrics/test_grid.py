"""The grid of charts: all fit where they can, and pages hold the rest."""

from hypothesis import given
from hypothesis import strategies as st

from gdtui.view.metrics.grid import Grid


@given(st.integers(0, 300), st.integers(1, 300), st.integers(1, 100))
def test_every_chart_has_a_place(charts: int, width: int, height: int) -> None:
    grid = Grid.of(charts, width, height)
    assert grid.columns >= 1
    assert grid.rows >= 1
    assert (grid.pages - 1) * grid.places < max(charts, 1) <= grid.pages * grid.places


def test_few_charts_are_as_wide_as_possible() -> None:
    assert Grid.of(3, 160, 43) == Grid(1, 3, 1)
    assert Grid.of(8, 160, 43) == Grid(2, 4, 1)
    assert Grid.of(30, 80, 22) == Grid(2, 2, 8)
