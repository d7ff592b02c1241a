"""Single values thinned for a chart: at most a dozen, and none jumps as others come."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gdtui.chart.scene.thinning import dozen

VALUES = st.lists(st.floats(-1, 1) | st.sampled_from([np.nan, np.inf]), min_size=1, max_size=300)


@given(VALUES, st.integers(0, 300), st.integers(0, 300), st.floats(0.1, 500))
def test_at_most_a_dozen_and_the_one_that_sticks_out(
    values: list[float], start: int, stop: int, width: float
) -> None:
    start, stop = sorted((min(start, len(values)), min(stop, len(values))))
    every = np.array(values)
    taken = dozen(np.arange(every.size, dtype=float), every, start, stop, width)
    assert (np.diff(taken) > 0).all()
    assert len(taken) <= 12
    assert set(taken.tolist()) <= set(range(start, stop))
    if stop - start <= 11 >= width:
        assert taken.tolist() == list(range(start, stop))


def test_a_spike_among_many_is_taken() -> None:
    values = 0.8 - np.arange(200) / 400
    values[37] = 5.0
    assert 37 in dozen(np.arange(200.0), values, 0, 200, 200.0)


def test_what_is_taken_stays_as_others_come() -> None:
    at, values = np.arange(21) * 2_000.0, np.linspace(0.8, 0.3, 21)
    for stop in range(3, 21):
        before, after = (dozen(at[:to], values, 0, to, 40_000).tolist() for to in (stop, stop + 1))
        assert after[: len(before)] == before
    assert dozen(at, values, 0, 21, 40_000).tolist() == list(range(0, 21, 2))


def test_values_that_lie_together_far_before_the_end_of_the_window() -> None:
    """Out of a stranger's file; steps of 10¹⁹ would not be whole numbers any more."""
    at = np.array([0.0, 1e-9, 2e-9, 1e15])
    assert dozen(at, np.arange(4.0), 0, 4, 1e18).tolist() == [0, 3]
