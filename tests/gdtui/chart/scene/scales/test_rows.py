"""The y axis fitted to rows: ticks at equal distances, whatever the range and the kind of axis."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.chart.drawing.raster import place
from gdtui.chart.scene.axes import settle, y_scale
from gdtui.chart.scene.picture import Scale

ROWS = st.integers(3, 60)
LOWS = st.one_of(st.floats(-1e6, -1e-3), st.floats(1e-6, 1e6))


def rows_of(scale: Scale, rows: int) -> list[int]:
    """The rows of the ticks, from below."""
    values = np.array([value for value, _ in scale.ticks])
    at = np.floor(place(values, scale, rows, 1, downwards=True)).astype(int)
    return (rows - 1 - at).tolist()


@given(LOWS, st.floats(1e-3, 1e6), ROWS, st.booleans(), st.booleans())
def test_ticks_are_equidistant_and_the_axis_holds_its_data(
    low: float, ratio: float, rows: int, log: bool, is_settled: bool
) -> None:
    low = abs(low) + 1e-6 if log else low
    high = low + abs(low) * ratio
    limits = settle(None, low, high, log) if is_settled else (low, high)
    scale = y_scale(limits, rows, log=log)
    assert scale.low <= low
    assert scale.high >= high
    at = rows_of(scale, rows)
    assert all(0 <= row < rows for row in at)
    assert len(set(np.diff(at).tolist())) <= 1
    assert len(at) >= (2 if rows >= 4 else 1)
    assert all(step >= min(3, rows // 2) for step in np.diff(at))


@given(LOWS, st.floats(1e-3, 1e6), ROWS, st.booleans())
def test_little_of_the_axis_is_left_empty(low: float, ratio: float, rows: int, log: bool) -> None:
    low = abs(low) + 1e-6 if log else low
    high = low + abs(low) * ratio
    scale = y_scale((low, high), rows, log=log)
    span = np.log10(scale.high / scale.low) if log else scale.high - scale.low
    needed = np.log10(high / low) if log else high - low
    assert span <= 2.01 * needed + 1e-9 * abs(high)


@given(LOWS, st.floats(0.1, 1e6), ROWS, st.booleans())
def test_a_label_is_a_value_of_its_row(low: float, ratio: float, rows: int, log: bool) -> None:
    low = abs(low) + 1e-6 if log else low
    scale = y_scale((low, low + abs(low) * ratio), rows, log=log)
    units = {"T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3}
    told = []
    for _, text in scale.ticks:
        unit = units.get(text[-1], 1.0)
        told.append(unit * float(text.rstrip("TGMk")))
    assert rows_of(Scale(scale.low, scale.high, tuple((v, "") for v in told), log=log), rows) == (
        rows_of(scale, rows)
    )


@pytest.mark.parametrize(
    ("limits", "rows", "log", "expected"),
    [
        ((0.0, 1.0), 21, False, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ((0.0, 2.5), 10, False, ["0", "1", "2", "3"]),
        ((0.0, 1.45), 9, False, ["0", "1"]),
        ((0.44, 0.51), 12, False, ["0.44", "0.46", "0.48", "0.50"]),
        ((1e-4, 1.0), 21, True, ["1e-4", "0.001", "0.01", "0.1", "1"]),
        ((0.05, 0.9), 21, True, ["0.05", "0.1", "0.2", "0.4", "0.8", "1.6"]),
    ],
)
def test_ticks_that_a_person_would_choose(
    limits: tuple[float, float], rows: int, log: bool, expected: list[str]
) -> None:
    assert [text for _, text in y_scale(limits, rows, log=log).ticks] == expected
