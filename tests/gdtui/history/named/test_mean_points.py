"""Means over buckets: every value counts once, whatever the pieces in which they come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.history.named.mean_points import HIGH, LOW, MEAN, SAMPLES, MeanPoints

_COUNT = 3


def places(count: int, start: int = 0) -> np.ndarray:
    at = np.arange(start, start + count, dtype=np.float64)
    return np.column_stack([at * 32, at, at / 10])


def test_few_values_are_kept_as_they_are() -> None:
    points = MeanPoints()
    points.add(places(3), np.array([1.0, np.nan, 3.0]))
    assert points.values[:, SAMPLES].tolist() == [0, 32, 64]
    assert np.array_equal(points.values[:, MEAN], [1.0, np.nan, 3.0], equal_nan=True)


@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=12), st.integers(0, 99))
def test_pieces_make_no_difference_and_nothing_is_lost(sizes: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=sum(sizes))
    values[::7] = np.nan
    pieces, whole, done = MeanPoints(), MeanPoints(), 0
    for size in sizes:
        pieces.add(places(size, done), values[done : done + size])
        done += size
    whole.add(places(done), values)
    rows = pieces.values
    assert np.allclose(rows, whole.values, equal_nan=True)
    assert len(rows) <= 4_096
    known = rows[rows[:, _COUNT] > 0]
    assert known[:, _COUNT].sum() == np.isfinite(values).sum()
    total = (known[:, MEAN] * known[:, _COUNT]).sum()
    assert total == pytest.approx(np.nansum(values), abs=1e-8)
    if len(known):
        assert (known[:, LOW].min(), known[:, HIGH].max()) == (np.nanmin(values), np.nanmax(values))


def test_a_past_has_nothing_of_later() -> None:
    points = MeanPoints()
    values = np.where(np.arange(20_000) < 10_000, 0.0, 1.0)
    points.add(places(20_000), values)
    past = points.until(10_000 * 32)
    assert past.values[:, HIGH].max() == 0
    assert past.values[-1, SAMPLES] > 9_900 * 32
    past.add(places(10_000, 10_000), np.full(10_000, 2.0))
    assert past.values[-1, MEAN] == 2
