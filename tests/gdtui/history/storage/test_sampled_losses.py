"""Quantiles of ranges of losses, from a sample if they are long."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gdtui.history.storage.sampled_losses import MOST, SampledLosses

SHARES = (0.1, 0.5, 0.9)


def filled(losses: np.ndarray, cuts: list[int]) -> SampledLosses:
    """The sample of these losses, added in parts."""
    sampled = SampledLosses()
    for part in np.split(losses, [4 * cut for cut in sorted(cuts)]):
        sampled.append(part)
    return sampled


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 4_999), max_size=5))
def test_how_losses_arrive_makes_no_difference(seed: int, cuts: list[int]) -> None:
    losses = np.random.default_rng(seed).normal(size=20_000).astype("<f4")
    start, stop = np.array([0, 1_000]), np.array([20_000, 15_000])
    found = [
        filled(losses, some).quantiles(start, stop, SHARES, lambda index: losses[index])
        for some in (cuts, [])
    ]
    assert np.array_equal(*found)


@given(st.integers(0, 2**32 - 1), st.integers(1, MOST), st.integers(0, 1_500))
def test_short_ranges_are_exact_without_their_gaps(seed: int, length: int, gaps: int) -> None:
    rng = np.random.default_rng(seed)
    losses = rng.exponential(size=2_048).astype("<f4")
    losses[rng.integers(2_048, size=gaps)] = np.nan
    start = int(rng.integers(2_048 - length))
    found = filled(losses, []).quantiles(
        np.array([start]), np.array([start + length]), SHARES, lambda index: losses[index]
    )[:, 0]
    rest = losses[start : start + length]
    rest = rest[np.isfinite(rest)]
    wanted = (
        np.quantile(rest.astype(np.float64), SHARES, method="median_unbiased")
        if rest.size
        else np.full(3, np.nan)
    )
    assert np.allclose(found, wanted, rtol=1e-5, equal_nan=True)


def test_long_ranges_have_the_right_ranks_whatever_the_period_of_the_data() -> None:
    rng = np.random.default_rng(5)
    for period in (1, 2, 3, 4, 7, 16, 32, 64, 100):
        losses = rng.exponential(size=400_000).astype("<f4")
        losses[::period] += period
        starts = np.arange(0, 400_000, 40_000)
        sampled = filled(losses, [])
        found = sampled.quantiles(starts, starts + 40_000, SHARES, lambda index: np.empty(0))
        for column, start in enumerate(starts):
            part = losses[start : start + 40_000]
            ranks = [(part < value).mean() for value in found[:, column]]
            assert np.allclose(ranks, SHARES, atol=0.09), (period, ranks)
        every = np.array([np.searchsorted(np.sort(losses), row) / 400_000 for row in found])
        assert np.allclose(every.mean(axis=1), SHARES, atol=0.03), period
