"""Single values thinned for a chart: none that sticks out is lost, none jumps as others come."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gdtui.chart.scene.thinning import outermost

VALUES = st.lists(st.floats(-1, 1) | st.sampled_from([np.nan, np.inf]), min_size=1, max_size=300)


@given(VALUES, st.integers(0, 300), st.integers(0, 300), st.integers(1, 40))
def test_the_lowest_and_the_highest_stay(
    values: list[float], start: int, stop: int, groups: int
) -> None:
    start, stop = sorted((min(start, len(values)), min(stop, len(values))))
    every = np.array(values)
    taken = outermost(every, start, stop, groups)
    assert (np.diff(taken) > 0).all()
    assert len(taken) <= max(2 * groups, 2 * (groups + 1))
    seen, kept = every[start:stop], every[taken]
    seen, kept = seen[np.isfinite(seen)], kept[np.isfinite(kept)]
    assert (seen.size > 0) == (kept.size > 0)
    if seen.size:
        assert (kept.min(), kept.max()) == (seen.min(), seen.max())
    assert set(taken.tolist()) <= set(range(start, stop))


def test_few_are_all_taken() -> None:
    assert outermost(np.zeros(80), 10, 80, 40).tolist() == list(range(10, 80))


def test_what_is_taken_stays_as_others_come() -> None:
    values = np.random.default_rng(0).normal(size=1_000)
    before, after = (outermost(values, 0, stop, 100).tolist() for stop in (900, 1_000))
    assert len(before) < 250
    assert after[: len(before) - 2] == before[:-2]
