"""The range of losses on a chart: what batches usually reach, without strays."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gdtui.chart.scene.polyline import Polyline
from gdtui.view.ranges.usual import strays, usual_range
from gdtui.view.x_range import XRange

SEEN = XRange(0.0, 1.0)


def columns(low: np.ndarray, high: np.ndarray) -> Polyline:
    return Polyline(np.linspace(0, 1, low.size), low, high)


def noisy(seed: int, count: int = 128) -> Polyline:
    """The extremes of columns of a noisy loss about 0.5."""
    rng = np.random.default_rng(seed)
    spread = np.abs(rng.normal(0.15, 0.02, (2, count)))
    return columns(0.5 - spread[0], 0.5 + spread[1])


@given(st.integers(0, 2**32 - 1), st.integers(0, 127), st.floats(2, 1e6))
def test_one_spike_moves_nothing_and_few_columns_leave_the_axis(
    seed: int, at: int, spike: float
) -> None:
    usual = noisy(seed)
    line = columns(np.full(128, 0.5), np.full(128, 0.5))
    calm = usual_range([usual], [line], SEEN, log=False)
    high = usual.high.copy()
    high[at] = spike
    found = usual_range([columns(usual.low, high)], [line], SEEN, log=False)
    assert calm is not None
    assert found is not None
    assert found[0] == calm[0]
    assert found[1] <= calm[1]
    assert np.count_nonzero(high > found[1]) <= 3
    assert spike in strays(columns(usual.low, high)).high


def test_a_line_that_follows_a_spike_does_not_flatten_the_others() -> None:
    usual = noisy(0)
    values = np.full(128, 0.5)
    values[60:80] = np.linspace(70.0, 1.0, 20)
    high = usual.high.copy()
    high[60:70] = 600.0
    found = usual_range([columns(usual.low, high)], [columns(values, values)], SEEN, log=False)
    assert found is not None
    assert found[1] < 1.2


def test_a_steep_descent_is_held_from_its_start() -> None:
    values = 2.3 * np.exp(-np.arange(128) / 2.0) + 0.05
    raw = columns(values * 0.9, values * 1.1)
    found = usual_range([raw], [columns(values, values)], SEEN, log=False)
    assert found is not None
    assert found[0] <= 0.05 * 0.9 + 1e-3
    assert found[1] >= 2.3


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_few_columns_have_a_range_too(seed: int, count: int) -> None:
    found = usual_range([noisy(seed, count)], [], SEEN, log=True)
    assert found is not None
    assert found[0] < found[1]


def test_a_line_that_crosses_a_narrow_window_is_held() -> None:
    line = Polyline(np.array([-1.0, 2.0]), np.array([1.0, 4.0]), np.array([1.0, 4.0]))
    assert usual_range([line], [], SEEN, log=False) == (2.0, 3.0)
    assert usual_range([], [], SEEN, log=False) is None


def test_batches_that_are_not_drawn_widen_the_axis_of_the_lines_by_a_quarter() -> None:
    reached = np.geomspace(3.0, 0.9, 128)
    raw, line = columns(reached / 8, reached), columns(reached / 4, reached / 4)
    band = columns(reached / 6, reached / 2.5)
    drawn = usual_range([raw], [line, band], SEEN, log=False)
    marked = usual_range([raw], [line, band], SEEN, log=False, draws_batches=False)
    assert drawn is not None
    assert marked is not None
    assert drawn[1] > 2.8
    assert float(np.median(reached)) < marked[1] < 2.2
    assert band.high.max() <= marked[1]


@given(st.integers(0, 2**32 - 1))
def test_batches_that_are_not_drawn_are_held_where_all_columns_are_alike(seed: int) -> None:
    usual, line = noisy(seed), columns(np.full(128, 0.5), np.full(128, 0.5))
    found = usual_range([usual], [line], SEEN, log=False, draws_batches=False)
    assert found is not None
    assert np.count_nonzero((usual.high > found[1]) | (usual.low < found[0])) <= 6


def test_few_columns_of_many_batches_do_not_widen_the_axis() -> None:
    line = columns(np.full(3, 0.5), np.full(3, 0.5))
    early = columns(np.full(3, 0.05), np.full(3, 3.0))
    found = usual_range([early], [line], SEEN, log=False, draws_batches=False)
    assert found is not None
    assert found[1] < 0.8
