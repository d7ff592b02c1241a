"""The smoothed line at the mean age of its losses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from plain_chunks import plain_chunk

from gdtui.chart.drawing.raster import place
from gdtui.chart.scene.picture import Scale
from gdtui.chart.scene.polyline import Axis
from gdtui.history import SMOOTHING_LADDER, History
from gdtui.view.ranges.mean_age import line_at_mean_age, mean_age
from gdtui.view.x_range import XRange

N = 2_000
END = 20 * N


def descent(size: int) -> History:
    """A loss that falls to a tenth within five epochs, without noise."""
    history = History(N)
    for batch in range(1, END // size, max(N // size, 1)):
        count = max(N // size, 1)
        at = (batch - 1 + np.arange(count)) * size
        chunk = plain_chunk(batch, count, N, size)
        history.append(replace(chunk, losses=loss_at(at).astype("<f4").tobytes()))
    return history


def loss_at(samples: np.ndarray) -> np.ndarray:
    return 0.1 + 0.9 * np.exp(-samples / (2 * N))


@pytest.mark.parametrize("size", [1, 50, 2_000])
@pytest.mark.parametrize("axis", [Axis.SAMPLES, Axis.UPDATES])
def test_on_a_steep_descent_it_lies_on_the_losses(size: int, axis: Axis) -> None:
    history, unit = descent(size), size if axis is Axis.UPDATES else 1
    seen = XRange(0.0, END / unit)
    line = line_at_mean_age(history, axis, seen, 300, window=0.25, n=N)
    assert line.x[0] == 0
    assert (np.diff(line.x) > 0).all()
    middle = (line.low + line.high) / 2
    assert np.abs(middle - loss_at(line.x * unit)).max() < 0.02
    plain = history.smoothed(axis, 0.0, END / unit, 300, 0.25)
    if size < N:
        assert np.abs(plain.high - loss_at(plain.x * unit)).max() > 0.05, "so it was drawn"


def test_it_ends_before_the_newest_batch_and_reaches_the_edges_of_a_window() -> None:
    history = descent(1)
    whole = line_at_mean_age(history, Axis.SAMPLES, XRange(0.0, END), 300, window=1.0, n=N)
    assert END - 1.2 * N < whole.x[-1] < END - 0.9 * N
    part = line_at_mean_age(history, Axis.SAMPLES, XRange(9e3, 1e4), 300, window=1.0, n=N)
    assert part.x[0] <= 9_001
    assert part.x[-1] >= 9_999


@given(
    st.integers(1, 500),
    st.sampled_from([1, 3, 64, 500, 2_000]),
    st.sampled_from(SMOOTHING_LADDER),
)
def test_the_age_is_that_of_the_weights(batches: int, size: int, window: float) -> None:
    tau = window * N
    weights = np.exp(-np.arange(batches) * size / tau)
    wanted = (weights * np.arange(batches) * size).sum() / weights.sum()
    found = mean_age(np.array([(batches - 1.0) * size]), size, tau)[0]
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6)


def test_nothing_is_moved_in_seconds_or_without_losses() -> None:
    history = descent(50)
    end = history.end(Axis.SECONDS)
    line = line_at_mean_age(history, Axis.SECONDS, XRange(0.0, end), 300, window=0.25, n=N)
    assert line.is_like(history.smoothed(Axis.SECONDS, 0.0, end, 300, 0.25))
    assert line_at_mean_age(
        History(N), Axis.SAMPLES, XRange(0.0, 1.0), 300, window=0.25, n=N
    ).is_empty


def test_single_batches_stay_single_and_columns_of_many_have_one_entry_each() -> None:
    seen = XRange(0.0, END)
    single = descent(200)
    line = line_at_mean_age(single, Axis.SAMPLES, seen, 300, window=0.25, n=N)
    assert line.x.size == len(single)
    young = History(N)
    young.append(plain_chunk(1, 1_500, N))
    line = line_at_mean_age(young, Axis.SAMPLES, seen, 300, window=0.25, n=N)
    columns = np.floor(place(line.x, Scale(0.0, END), 150, 2))
    assert line.x.size >= 4
    assert (np.diff(columns) > 0).all()
