"""The raster's dots: plotext's own where each point has room, every value elsewhere."""

from itertools import pairwise
from typing import Any

import numpy as np
import plotext  # type: ignore[import-untyped]
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from gdtui.chart.drawing.raster import pack, place, rasterise, spots, value_of
from gdtui.chart.scene.picture import Scale
from gdtui.chart.scene.polyline import EMPTY, Polyline

UNIT = Scale(0.0, 1.0)


def line(x: Any, y: Any) -> Polyline:
    values = np.asarray(y, np.float64)
    return Polyline(np.asarray(x, np.float64), values, values)


def middle(dot: Any, dots: int) -> Any:
    """A value of the unit scale inside this dot of `dots`."""
    return (dot + 0.5) / dots


def plotexts_cells(polyline: Polyline, x: Scale, y: Scale, width: int, height: int) -> Any:
    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.plot_size(width, height)
    figure.canvas("default")
    figure.axes(False)
    for axis, scale in (("x", x), ("y", y)):
        ruler = figure.ruler(axis)
        ruler.scale("log" if scale.log else "linear")
        ruler.lim(scale.low, scale.high).alignment(lim="edge").frequency(0)
    signal = figure.signal(polyline.x.tolist(), polyline.low.tolist(), marker="braille")
    figure.draw(signal.lines())
    rows = figure.build().string(colorless=True).rstrip("\n").split("\n")
    return np.array([[0 if c == " " else ord(c) - 0x2800 for c in row] for row in rows])


@st.composite
def sparse_charts(draw: st.DrawFn) -> tuple[Polyline, Scale, Scale, int, int]:
    """At most one point a column of dots, some of them outside of the window."""
    width, height = draw(st.integers(2, 60)), draw(st.integers(1, 20))
    dots = st.integers(-3, 2 * width + 2)
    columns = sorted(draw(st.sets(dots, min_size=2, max_size=2 * width)))
    values = st.floats(0.001, 3.0, allow_subnormal=False)
    y = draw(st.lists(values, min_size=len(columns), max_size=len(columns)))
    x = Scale(0.0, draw(st.sampled_from([1.0, 40_000.0, 1e-6])))
    scale = draw(st.sampled_from([Scale(0.0, 1.0), Scale(-0.3, 2.2), Scale(0.01, 3.0, log=True)]))
    at = [middle(column, 2 * width) * x.high for column in columns]
    return line(at, y), x, scale, width, height


@settings(max_examples=150, deadline=None)
@given(sparse_charts())
def test_with_one_point_a_column_the_dots_are_plotexts(
    chart: tuple[Polyline, Scale, Scale, int, int],
) -> None:
    polyline, x, y, width, height = chart
    try:
        theirs = plotexts_cells(polyline, x, y, width, height)
    except ValueError:  # it widens nearly equal data by 1, and takes the logarithm of that
        assert y.log
        reject()
    ours = pack(rasterise(polyline, x, y, width, height).dots)
    assert ours.tolist() == theirs.tolist()


@st.composite
def dense_charts(draw: st.DrawFn) -> tuple[np.ndarray[Any, Any], int, int]:
    """(batches by column, width, height): several values in every column."""
    width, height = draw(st.integers(1, 30)), draw(st.integers(1, 15))
    seed = draw(st.integers(0, 2**32 - 1))
    a_column = draw(st.integers(2, 9))
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0.05, 0.95, (2 * width, 1))
    spread = draw(st.sampled_from([0.001, 0.05, 0.4]))
    return np.clip(centre + rng.normal(0, spread, (2 * width, a_column)), 0, 1), width, height


def by_batch(values: np.ndarray[Any, Any]) -> Polyline:
    columns, a_column = values.shape
    x = (np.arange(columns * a_column) + 0.5) / (columns * a_column)
    return line(x, values.ravel())


def by_column(values: np.ndarray[Any, Any]) -> Polyline:
    columns = values.shape[0]
    x = (np.arange(columns) + 0.5) / columns
    return Polyline(x, values.min(axis=1), values.max(axis=1))


@settings(max_examples=100, deadline=None)
@given(dense_charts())
def test_dense_columns_cover_every_value_and_are_joined(
    chart: tuple[np.ndarray[Any, Any], int, int],
) -> None:
    values, width, height = chart
    dots = rasterise(by_column(values), UNIT, UNIT, width, height).dots
    rows = np.floor(place(values, UNIT, height, 4, downwards=True)).astype(int)
    top, bottom = rows.min(axis=1), rows.max(axis=1)
    lit = [np.flatnonzero(column) for column in dots.T]
    for column, covered in enumerate(lit):
        assert set(range(top[column], bottom[column] + 1)) <= set(covered)
        assert covered.size == covered[-1] - covered[0] + 1  # without a hole
    for left, right in pairwise(lit):
        assert left[0] <= right[-1] + 1
        assert right[0] <= left[-1] + 1


@settings(max_examples=60, deadline=None)
@given(dense_charts())
def test_dense_columns_light_nothing_beyond_what_joins_them(
    chart: tuple[np.ndarray[Any, Any], int, int],
) -> None:
    values, width, height = chart
    dots = rasterise(by_column(values), UNIT, UNIT, width, height).dots
    rows = np.floor(place(values, UNIT, height, 4, downwards=True)).astype(int)
    top, bottom = rows.min(axis=1), rows.max(axis=1)
    for column in range(2 * width):
        near = slice(max(column - 1, 0), column + 2)
        covered = np.flatnonzero(dots[:, column])
        # A join runs from one range to the next, so it stays between their nearest ends.
        assert covered[0] >= min(top[column], bottom[near].min())
        assert covered[-1] <= max(bottom[column], top[near].max())


@settings(max_examples=40, deadline=None)
@given(dense_charts())
def test_one_entry_a_batch_draws_the_same_as_one_a_column(
    chart: tuple[np.ndarray[Any, Any], int, int],
) -> None:
    values, width, height = chart
    one = rasterise(by_batch(values), UNIT, UNIT, width, height).dots
    other = rasterise(by_column(values), UNIT, UNIT, width, height).dots
    assert (one == other).all()


def test_a_spike_among_many_is_never_lost() -> None:
    values = np.full(100_000, 0.1)
    values[54_321] = 0.95
    dots = rasterise(line(np.linspace(0, 1, values.size), values), UNIT, UNIT, 40, 10).dots
    column = int(54_321 / 100_000 * 80)
    assert dots[2, column]
    assert not dots[2, :column].any()


@pytest.mark.parametrize("second", [(0.6, 0.9), (0.2, 0.25), (0.25, 0.5)])
def test_dense_columns_far_apart_are_joined_by_a_line(second: tuple[float, float]) -> None:
    low, high = np.array([0.1, second[0]]), np.array([0.3, second[1]])
    dots = rasterise(Polyline(np.array([0.1, 0.9]), low, high), UNIT, UNIT, 20, 10).dots
    assert dots[:, 4:36].any(axis=0).all()


@pytest.mark.parametrize("a_column", [1, 2])
def test_nan_breaks_the_line(a_column: int) -> None:
    columns = np.repeat(np.arange(20), a_column)
    x, y = middle(columns, 20), np.full(columns.size, 0.5)
    y[(columns >= 8) & (columns < 12)] = np.nan
    dots = rasterise(line(x, y), UNIT, UNIT, 10, 5).dots
    assert not dots[:, 8:12].any()
    assert dots[:, :8].any(axis=0).all()
    assert dots[:, 12:].any(axis=0).all()


def test_a_gap_inside_one_column_also_breaks_the_line() -> None:
    x = middle(np.array([2.0, 5.0, 8.0]), 20)
    dots = rasterise(line(x, [0.5, np.nan, 0.5]), UNIT, UNIT, 10, 5).dots
    assert np.flatnonzero(dots.any(axis=0)).tolist() == [2, 8]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nothing_finite_draws_nothing(value: float) -> None:
    layer = rasterise(line([0.1, 0.5], [value, value]), UNIT, UNIT, 10, 5)
    assert not layer.dots.any()
    assert layer.above.size == layer.below.size == 0


def test_an_empty_trace_draws_nothing() -> None:
    assert not rasterise(EMPTY, UNIT, UNIT, 10, 5).dots.any()


def test_a_segment_that_leaves_the_window_is_cut_at_its_border() -> None:
    # From the middle of the window steeply to far above: it leaves through the top, near x = 0.5.
    layer = rasterise(line([0.5, middle(36, 40)], [0.5, 1e12]), UNIT, UNIT, 20, 5)
    assert set(np.flatnonzero(layer.dots.any(axis=0))) <= {19, 20, 21}
    assert layer.dots[0].any()
    assert layer.above.tolist() == [36]


def test_a_segment_across_the_whole_window_is_drawn_though_both_ends_lie_outside() -> None:
    polyline = line([-1.0, 2.0], [0.3, 0.8])
    cells = pack(rasterise(polyline, UNIT, UNIT, 20, 5).dots)
    assert cells.any(axis=0).all()
    assert cells.tolist() == plotexts_cells(polyline, UNIT, UNIT, 20, 5).tolist()


@pytest.mark.parametrize("zoom", [10.0, 1e4, 1e7])
@pytest.mark.parametrize("share", [0.1, 0.75])
def test_however_far_away_the_ends_are_a_segment_crosses_the_window_at_its_height(
    zoom: float, share: float
) -> None:
    window = Scale(share, share + 1 / zoom)
    dots = rasterise(line([0.0, 1.0], [0.0, 1.0]), window, UNIT, 20, 25).dots
    rows = np.flatnonzero(dots.any(axis=1))
    assert np.count_nonzero(dots.any(axis=0)) >= 39, "plotext, too, may leave out one dot"
    assert 1 - (rows.max() + 1) / 100 == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("above", np.linspace(1.01, 1.6, 24))
def test_dense_columns_are_joined_across_the_border_without_a_hole(above: float) -> None:
    x = np.repeat(middle(np.arange(-6.0, 40.0), 40), 2)
    y = np.where(np.arange(x.size) // 2 % 2, 0.2, above) + np.tile([0.0, 0.01], x.size // 2)
    dots = rasterise(line(x, y), UNIT, UNIT, 20, 25).dots
    for column in dots.T:
        covered = np.flatnonzero(column)
        assert covered.size == covered[-1] - covered[0] + 1
    for left, right in pairwise(dots.T):
        assert (left | right)[: np.flatnonzero(left | right)[-1]].all()


def test_a_segment_that_passes_the_window_by_draws_nothing() -> None:
    assert not rasterise(line([0.1, 0.9], [1.5, 1.2]), UNIT, UNIT, 20, 5).dots.any()


@pytest.mark.parametrize("a_column", [1, 3])
def test_what_is_off_the_scale_is_reported_at_its_column(a_column: int) -> None:
    columns = np.repeat(np.arange(40), a_column)
    y = np.full(columns.size, 0.5)
    y[np.flatnonzero(columns == 7)[-1]] = 1e30
    y[np.flatnonzero(columns == 30)[0]] = -4.0
    layer = rasterise(line(middle(columns, 40), y), UNIT, UNIT, 20, 5)
    assert layer.above.tolist() == [7]
    assert layer.below.tolist() == [30]


def test_a_log_axis_is_the_linear_axis_of_the_logarithms() -> None:
    rng = np.random.default_rng(3)
    x, y = np.linspace(0, 1, 500), 10 ** rng.uniform(-3, 0, 500)
    log = rasterise(line(x, y), UNIT, Scale(1e-3, 1.0, log=True), 30, 10)
    linear = rasterise(line(x, np.log10(y)), UNIT, Scale(-3.0, 0.0), 30, 10)
    assert (log.dots == linear.dots).all()


def test_what_is_not_positive_lies_below_a_log_axis() -> None:
    layer = rasterise(
        line([middle(3, 20), middle(15, 20)], [0.0, -1.0]), UNIT, Scale(0.1, 1.0, log=True), 10, 5
    )
    assert layer.below.tolist() == [3, 15]
    assert not layer.dots.any()


@pytest.mark.parametrize("low", [-1e300, 0.0, 1e-12, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (300, 100)])
def test_no_range_and_no_size_is_too_much(low: float, size: tuple[int, int]) -> None:
    scale = Scale(low, 1e300)
    x, y = np.linspace(-1e9, 1e9, 99), np.geomspace(1e-300, 1e300, 99)
    for polyline in (line(x, y), Polyline(x, -y, y)):
        assert rasterise(polyline, UNIT, scale, *size).dots.shape == (size[1] * 4, size[0] * 2)


def test_pack_numbers_the_dots_as_unicode_does() -> None:
    for number, (row, column) in enumerate(
        [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1)]
    ):
        dots = np.zeros((4, 2), np.bool_)
        dots[row, column] = True
        assert pack(dots).tolist() == [[1 << number]]


def test_spots_are_the_cells_of_what_lies_inside() -> None:
    rows, columns = spots(line([0.05, 0.55, 2.0], [0.9, 0.1, 0.5]), UNIT, UNIT, 10, 5)
    assert rows.tolist() == [0, 4]
    assert columns.tolist() == [0, 5]


@pytest.mark.parametrize("scale", [Scale(3.0, 40_000.0), Scale(0.01, 10.0, log=True)])
def test_value_of_is_the_inverse_of_place(scale: Scale) -> None:
    values = np.array([scale.low, scale.high, scale.high / 3])
    dots = place(values, scale, 50, 2)
    assert [value_of(dot, scale, 50, 2) for dot in dots] == pytest.approx(values.tolist())
