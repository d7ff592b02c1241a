"""The band of a history: its columns, its neighbours' batches, and what arriving batches change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from plain_chunks import plain_chunk

from gdtui.chart.scene.polyline import Axis
from gdtui.history import History

N = 2_000
CELLS = 60


def history(parts: list[int], size: int = 1) -> History:
    """A history whose batches arrived in these numbers."""
    whole = History(N)
    extend(whole, parts, size)
    return whole


def extend(whole: History, parts: list[int], size: int = 1) -> None:
    for count in parts:
        left = count
        while left:
            batch = len(whole) + 1
            most = (N - (batch - 1) * size % N) // size
            whole.append(plain_chunk(batch, min(left, most), N, size))
            left -= min(left, most)


@given(
    st.lists(st.integers(1, 9_000), min_size=1, max_size=8),
    st.sampled_from([(0.0, 40_000.0), (0.0, 3_000.0), (700.0, 9_001.0)]),
    st.sampled_from([Axis.SAMPLES, Axis.UPDATES]),
    st.sampled_from([1, 40, 400]),
)
def test_batches_that_arrive_change_the_band_as_if_all_had_been_there(
    parts: list[int], seen: tuple[float, float], axis: Axis, size: int
) -> None:
    growing = History(N)
    for count in parts:
        extend(growing, [1 + count // size], size)
        band = growing.band(axis, *seen, CELLS)
    fresh = history([1 + count // size for count in parts], size).band(axis, *seen, CELLS)
    assert np.array_equal(band.x, fresh.x)
    assert np.array_equal(band.low[:-1], fresh.low[:-1])
    assert np.array_equal(band.high[:-1], fresh.high[:-1])
    assert np.allclose(
        (*band.low[-1:], *band.high[-1:]), (*fresh.low[-1:], *fresh.high[-1:]), atol=0.03
    )


@pytest.mark.parametrize("batches", [3_000, 60_000, 600_000])
def test_it_holds_about_eighty_per_cent_of_the_losses(batches: int) -> None:
    whole = history([batches])
    band = whole.band(Axis.SAMPLES, 0, batches, CELLS)
    assert band.x.size == CELLS
    # Of a normal distribution with mean 0.5 and deviation 0.05; see plain_chunk.
    assert np.allclose(band.low.mean(), 0.5 - 1.2816 * 0.05, atol=0.003)
    assert np.allclose(band.high.mean(), 0.5 + 1.2816 * 0.05, atol=0.003)
    assert band.low.std() < 0.02


def test_a_column_has_the_quantiles_of_its_own_batches() -> None:
    whole = history([12_000])
    band = whole.band(Axis.SAMPLES, 0, 12_000, CELLS)
    raw = whole.polyline(Axis.SAMPLES, 0, 12_000, 100_000)
    column = (raw.x // (12_000 / CELLS)).astype(int)
    for at in (0, 17, CELLS - 1):
        wanted = np.quantile(raw.low[column == at], (0.1, 0.9))
        assert np.allclose((band.low[at], band.high[at]), wanted, atol=0.01)


def test_few_batches_borrow_their_neighbours_and_too_few_make_no_band() -> None:
    sparse = history([120], size=500).band(Axis.SAMPLES, 0, 60_000, CELLS)
    assert sparse.x.size >= CELLS - 3, "two batches a column, and two columns to either side"
    full = history([30], size=N).band(Axis.SAMPLES, 0, 60_000, CELLS)
    assert full.is_empty


def test_one_of_a_thousand_moves_no_band() -> None:
    whole = History(N)
    losses = np.full(2_000, 0.5, "<f4")
    losses[::1_000] = 600.0
    chunk = plain_chunk(1, 2_000, N)
    whole.append(replace(chunk, losses=losses.tobytes()))
    band = whole.band(Axis.SAMPLES, 0, N, CELLS)
    assert {*band.low.tolist(), *band.high.tolist()} == {0.5}


def test_what_has_not_changed_is_the_same_object() -> None:
    whole = history([5_000])
    band = whole.band(Axis.SAMPLES, 0, 4_000, CELLS)
    extend(whole, [10])
    assert whole.band(Axis.SAMPLES, 0, 4_000, CELLS) is band, "it ends before the new batches"
    assert History(N).band(Axis.SAMPLES, 0, 1.0, CELLS).is_empty


def quantiles(whole: History, start: int, stop: int) -> list[float]:
    losses = whole.polyline(Axis.SAMPLES, 0, 1e9, 10**6).low[start:stop]
    return np.quantile(losses, (0.1, 0.9), method="median_unbiased").tolist()


def test_the_newest_column_changes_when_its_batches_have_doubled() -> None:
    """It has the band of its first 16, 32, 64, …; there are 1,000 in a column."""
    whole = history([2_300])
    band = whole.band(Axis.SAMPLES, 0, 60_000, CELLS)
    assert [band.low[-1], band.high[-1]] == quantiles(whole, 2_000, 2_256)
    extend(whole, [200])
    assert whole.band(Axis.SAMPLES, 0, 60_000, CELLS) is band
    extend(whole, [100])
    band = whole.band(Axis.SAMPLES, 0, 60_000, CELLS)
    assert [band.low[-1], band.high[-1]] == quantiles(whole, 2_000, 2_512)
    extend(whole, [410])  # fewer than twice 512, but some in the next column
    closed = whole.band(Axis.SAMPLES, 0, 60_000, CELLS)
    fresh = history([2_300, 200, 100, 410]).band(Axis.SAMPLES, 0, 60_000, CELLS)
    assert closed.low[2] != band.low[2]
    assert (closed.low[2], closed.high[2]) == (fresh.low[2], fresh.high[2])
    assert np.allclose([closed.low[2], closed.high[2]], quantiles(whole, 2_000, 3_000), atol=1e-3)


def test_a_long_column_of_new_batches_has_the_quantiles_of_a_sample() -> None:
    whole = history([3_000])
    band = whole.band(Axis.SAMPLES, 0, 60_000, 2)
    assert np.allclose([band.low[0], band.high[0]], quantiles(whole, 0, 2_048), atol=0.02)
