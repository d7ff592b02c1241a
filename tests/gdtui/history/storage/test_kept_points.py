"""Kept points: all of few; of many the outermost, however many come."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gdtui.history.storage.kept_points import KeptPoints


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=300))
def test_first_last_lowest_and_highest_stay(values: list[float]) -> None:
    kept = KeptPoints(most=32)
    for place, value in enumerate(values):
        kept.add(10 * place, place, 0.1 * place, value)
        assert len(kept) <= 32
    rows = kept.values
    index = rows[:, 1].astype(int)
    assert (index[0], index[-1]) == (0, len(values) - 1)
    assert np.all(np.diff(index) > 0)
    assert rows[:, 3].tolist() == [values[k] for k in index]
    assert (rows[:, 3].min(), rows[:, 3].max()) == (min(values), max(values))
    if len(values) <= 32:
        assert len(kept) == len(values)


def test_memory_stays_however_many_come() -> None:
    kept = KeptPoints()
    for place in range(100_000):
        kept.add(place, place, place, float(place % 7))
    assert 2_000 <= len(kept) <= 8_192
