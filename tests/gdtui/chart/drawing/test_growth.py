"""A line from frame to frame: kept and new parts equal the raster's drawing of the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.chart.drawing.cells import Cells
from gdtui.chart.drawing.growth import grown
from gdtui.chart.drawing.layers import Layers
from gdtui.chart.drawing.raster import Layer, place, place_one, rasterise
from gdtui.chart.scene.picture import Picture, Scale
from gdtui.chart.scene.polyline import Polyline

UNIT = Scale(0.0, 1.0)
DOTS = 40
LOG = Scale(0.01, 1.0, log=True)


def assert_same(layer: Layer, fresh: Layer) -> None:
    assert (layer.dots == fresh.dots).all()
    assert (layer.bits == fresh.bits).all()
    assert layer.above.tolist() == fresh.above.tolist()
    assert layer.below.tolist() == fresh.below.tolist()


def by_column(columns: list[int], low: list[float], high: list[float]) -> Polyline:
    x = (np.array(columns, np.float64) + 0.5) / DOTS
    return Polyline(x, np.array(low), np.maximum(low, high))


@given(st.data())
def test_a_line_that_grows_is_drawn_as_if_it_had_always_been_there(data: st.DataObject) -> None:
    """It is, also where its last column changes, where it has gaps, and where it is replaced."""
    value = st.one_of(st.floats(-0.2, 1.2), st.just(np.nan))
    width, height = data.draw(st.sampled_from([(20, 5), (3, 4)]))
    y = data.draw(st.sampled_from([UNIT, LOG, Scale(-3.0, 0.7)]))
    layers, cells = Layers(), Cells.blank(width, height)
    x, low, high = [], [], []
    for _ in range(data.draw(st.integers(2, 6))):
        step = data.draw(st.sampled_from(["extend", "last", "other"]))
        if step == "other":
            x, low, high = [], [], []
        elif step == "last" and x:
            high[-1] = max(low[-1], data.draw(value))
        for _ in range(data.draw(st.integers(0, 8))):
            x.append((x[-1] if x else -0.1) + data.draw(st.floats(0.001, 0.2)))
            low.append(data.draw(value))
            high.append(low[-1] + data.draw(st.sampled_from([0.0, 0.3])))
        polyline = Polyline(np.array(x), np.array(low), np.array(high))
        layer = layers.line(("a", "line"), polyline, Picture(UNIT, y), cells)
        assert_same(layer, rasterise(polyline, UNIT, y, width, height))
        again = Polyline(polyline.x.copy(), polyline.low.copy(), polyline.high.copy())
        assert layers.line(("a", "line"), again, Picture(UNIT, y), cells) is layer


@given(st.data())
def test_a_column_each_it_is_grown_and_not_drawn_again(data: st.DataObject) -> None:
    value = st.floats(-0.3, 1.3)
    y = data.draw(st.sampled_from([UNIT, Scale(-3.0, 0.7)]))
    columns = sorted(data.draw(st.sets(st.integers(-1, DOTS + 1), min_size=5)))
    low = [data.draw(value) for _ in columns]
    high = [one + 0.1 for one in low]
    size = data.draw(st.integers(3, len(columns) - 1))
    before = rasterise(by_column(columns[:size], low[:size], high[:size]), UNIT, y, DOTS // 2, 5)
    high[size - 1] += data.draw(st.floats(0.0, 0.4))
    polyline = by_column(columns, low, high)
    layer = grown(before, polyline, UNIT, y)
    assert layer is not None
    assert_same(layer, rasterise(polyline, UNIT, y, DOTS // 2, 5))


def test_where_there_is_a_gap_all_is_drawn_again() -> None:
    before = rasterise(by_column([0, 1, 2, 3], [0.2] * 4, [0.4] * 4), UNIT, UNIT, DOTS // 2, 5)
    polyline = by_column([0, 1, 2, 3, 4], [0.2] * 4 + [np.nan], [0.4] * 5)
    assert grown(before, polyline, UNIT, UNIT) is None


@pytest.mark.parametrize("end", [0.99, 0.01])
def test_where_the_old_end_was_nothing_of_it_is_left(end: float) -> None:
    """The line to it began in the column of the last value that stays."""
    columns = [1, 2, 3, 4]
    before = rasterise(
        by_column(columns, [0.5] * 3 + [end], [0.6] * 3 + [end]), UNIT, UNIT, DOTS // 2, 10
    )
    polyline = by_column(columns, [0.5] * 4, [0.6] * 4)
    after = grown(before, polyline, UNIT, UNIT)
    assert after is not None
    assert_same(after, rasterise(polyline, UNIT, UNIT, DOTS // 2, 10))
    assert (after.dots != before.dots).any()


def test_another_scale_or_size_is_another_layer() -> None:
    layers, polyline = Layers(), by_column([0, 1, 2, 3], [0.2] * 4, [0.4] * 4)
    for x, y, width in [
        (UNIT, UNIT, 20),
        (Scale(0.0, 2.0), UNIT, 20),
        (UNIT, LOG, 20),
        (UNIT, UNIT, 10),
    ]:
        layer = layers.line(("a", "line"), polyline, Picture(x, y), Cells.blank(width, 5))
        assert_same(layer, rasterise(polyline, x, y, width, 5))


@given(st.floats(-1e6, 1e6), st.floats(-1e3, 1e3), st.floats(1e-3, 1e6), st.booleans())
def test_one_value_is_placed_where_many_are(
    value: float, low: float, width: float, downwards: bool
) -> None:
    scale = Scale(low, low + width)
    many = place(np.array([value]), scale, 30, 4, downwards=downwards)
    assert place_one(value, scale, 30, 4, downwards=downwards) == many[0]
