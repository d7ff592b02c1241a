"""Windows drawn while batches arrive, few or thousands at a time."""

import numpy as np
import pytest
from plain_chunks import plain_chunk

from gdtui.chart.scene.polyline import Axis
from gdtui.history import SMOOTHING_LADDER, History

N = 20_000


def taken(*counts: int) -> History:
    history = History(N)
    for count in counts:
        history.append(plain_chunk(len(history) + 1, count, N))
    return history


@pytest.mark.parametrize("axis", Axis)
@pytest.mark.parametrize(
    "steps",
    [(3_000, 3_000, 3_000), (9_000, 5, 2_500, 40, 4_000), (64, 5_000, 1, 2_049, 2_048)],
    ids=["many", "many and few", "few first"],
)
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.3), (0.2, 0.6), (0.3, 1.0)])
def test_a_line_that_grows_by_thousands_of_batches_is_the_one_drawn_at_once(
    axis: Axis, steps: tuple[int, ...], low: float, high: float
) -> None:
    end = taken(*steps).end(axis)
    growing = History(N)
    for done in range(len(steps)):
        growing.append(plain_chunk(len(growing) + 1, steps[done], N))
        whole = taken(*steps[: done + 1])
        for window in (None, *SMOOTHING_LADDER[:2]):
            ours, theirs = (
                each.polyline(axis, low * end, high * end, 50)
                if window is None
                else each.smoothed(axis, low * end, high * end, 50, window)
                for each in (growing, whole)
            )
            np.testing.assert_array_equal(ours.x, theirs.x)
            tolerance = 1e-6 if window else 0.0
            np.testing.assert_allclose(ours.low, theirs.low, rtol=tolerance)
            np.testing.assert_allclose(ours.high, theirs.high, rtol=tolerance)
