"""History in single cases: long runs, thin memory, full batch, accumulation, nothing at all."""

import math

import msgspec
import numpy as np
import pytest

from engine.log.records import Chunk
from gdtui.chart.scene.polyline import Axis
from gdtui.history import History, positions
from gdtui.history.smoothing import SMOOTHING_LADDER


def plain_chunk(batch: int, count: int, n: int = 2_000, size: int = 1, epoch: int | None = None) -> Chunk:
    """Some batches of a training without changes, all within an epoch."""
    samples = (batch - 1) * size
    return Chunk(
        generation=1,
        epoch=samples // n + 1 if epoch is None else epoch,
        batch=batch,
        update=batch,
        in_update=0,
        samples=samples,
        seconds=batch * 0.03,
        duration=count * 0.03,
        batch_size=size,
        last_batch_size=size,
        accumulation_steps=1,
        lr=0.01,
        losses=np.random.default_rng(batch).normal(0.5, 0.05, count).astype("<f4").tobytes(),
    )


def test_every_level_of_a_long_run_is_exact() -> None:
    history, values = History(2_000), []
    for batch in range(1, 300_000, 1_000):
        chunk = plain_chunk(batch, 1_000)
        history.append(chunk)
        values.append(np.frombuffer(chunk.losses, "<f4"))
    raw = np.concatenate(values).astype(float)
    rng = np.random.default_rng(1)
    for low, high in np.sort(rng.integers(0, raw.size, (200, 2))).tolist():
        assert history.extremes(Axis.SAMPLES, low, high) == (
            raw[low : high + 1].min(),
            raw[low : high + 1].max(),
        )
        means = history.means(Axis.SAMPLES, low, high, 2)
        inside = (means.x >= low) & (means.x <= high)
        cuts = means.x[inside].astype(int) - low
        parts = np.split(raw[low : high + 1], cuts[1:])
        np.testing.assert_allclose(means.low[inside], [part.mean() for part in parts], rtol=1e-9)


def test_a_long_run_of_single_batches_costs_no_more_than_its_losses() -> None:
    history = History(2_000)
    before = history.nbytes
    for batch in range(1, 20_001):
        history.append(plain_chunk(batch, 1, size=2_000))
    history.polyline(Axis.SAMPLES, 0, 1e9, 100)
    seconds = 2 * 16 * 20_000
    assert history.nbytes - before <= 8 * 20_000 * 2 + seconds
    assert len(history._positions._segments) == 1


def test_the_seconds_of_very_many_chunks_are_thinned_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "_MAX_KNOTS", 64)
    history, seconds, rng = History(2_000), [0.0], np.random.default_rng(0)
    for batch in range(1, 501):
        duration = float(rng.random())
        chunk = msgspec.structs.replace(plain_chunk(batch, 1), seconds=seconds[-1], duration=duration)
        history.append(chunk)
        seconds.append(seconds[-1] + duration)
    found = np.array([history.at(i).seconds for i in range(500)])
    assert np.all(np.diff(found) >= 0)
    assert np.abs(found - seconds[:-1]).max() < 17
    assert history.end(Axis.SECONDS) == seconds[-1]
    assert len(history._positions._knots) <= 65


def test_full_batch_smoothing_follows_the_loss() -> None:
    history = History(2_000)
    for batch in range(1, 21):
        history.append(plain_chunk(batch, 1, size=2_000))
    info = history.at(19)
    assert info.epoch == 20
    assert abs(info.smoothed - info.loss) <= 0.02 * abs(history.at(18).loss - info.loss) + 0.002
    assert history.spread() is None


def test_batches_of_one_update_stand_between_it_and_the_next() -> None:
    history = History(6)
    chunk = msgspec.structs.replace(plain_chunk(1, 6, n=6), accumulation_steps=4)
    history.append(chunk)
    assert history.polyline(Axis.UPDATES, 0, 2, 10).x.tolist() == [0, 0.25, 0.5, 0.75, 1, 1.25]
    assert history.end(Axis.UPDATES) == 2  # the short group ended with the epoch


def test_a_gap_in_the_batches_is_refused_and_nothing_is_taken_in() -> None:
    history = History(2_000)
    history.append(plain_chunk(1, 10))
    with pytest.raises(ValueError, match="batch 12 cannot follow batch 10"):
        history.append(plain_chunk(12, 1))
    assert len(history) == 10


def test_an_empty_history_draws_nothing() -> None:
    history = History(2_000)
    assert history.polyline(Axis.SAMPLES, 0, 1, 10).is_empty
    assert history.smoothed(Axis.SECONDS, 0, 1, 10, 1.0).is_empty
    assert history.extremes(Axis.SAMPLES, 0, 1) is None
    assert history.find(Axis.SAMPLES, 0) is None
    assert history.spread() is None
    assert math.isnan(history.last())
    assert math.isnan(history.smoothed_last(0.25))
    assert [history.end(axis) for axis in Axis] == [0, 0, 0]


@pytest.mark.parametrize("window", [0.25, 4.0])
def test_the_smoothed_loss_is_the_newest_ones_whatever_was_asked_for_before(window: float) -> None:
    asked = History(2_000)
    for batch in range(1, 400, 50):
        asked.append(plain_chunk(batch, 50))
        asked.smoothed(Axis.SAMPLES, 0, 1_000, 20, window)
        told = asked.smoothed_last(window)
        asked.smoothed(Axis.SAMPLES, 0, batch / 2, 20, window)  # ends before the newest
        fresh = History(2_000)
        for each in range(1, batch + 1, 50):
            fresh.append(plain_chunk(each, 50))
        assert told == asked.smoothed_last(window) == pytest.approx(fresh.smoothed_last(window))


@pytest.mark.parametrize("window", SMOOTHING_LADDER)
def test_the_smoothed_loss_is_one_average_however_the_batches_came(window: float) -> None:
    """A few at a time, as a chart sees them, and thousands at once: the same as batch by batch."""
    rng, n = np.random.default_rng(2), 2_000
    history, losses = History(n), np.empty(0)
    while len(history) < 30_000:
        start = len(history)
        for _ in range(int(rng.choice([1, 3, 40]))):
            epoch_left = n - len(history) % n
            chunk = plain_chunk(len(history) + 1, min(int(rng.integers(1, 200)), epoch_left), n)
            values = np.frombuffer(chunk.losses, "<f4").copy()
            values[rng.random(values.size) < 0.01] = np.nan
            history.append(msgspec.structs.replace(chunk, losses=values.tobytes()))
            losses = np.concatenate((losses, values))
        averages = _averages(losses, window * n)
        assert history.smoothed_last(window) == pytest.approx(averages[-1], rel=1e-6)
        for index in {start, *rng.integers(0, len(history), 3).tolist(), max(len(history) - 5_000, 0)}:
            assert history.at(index, window).smoothed == pytest.approx(averages[index], rel=1e-6)


def test_the_newest_averages_are_right_after_the_older_ones_were_dropped() -> None:
    history, losses = History(2_000), []
    for batch in range(1, 10_001, 500):
        chunk = plain_chunk(batch, 500)
        history.append(chunk)
        losses.append(np.frombuffer(chunk.losses, "<f4"))
        history.smoothed_last(0.25)
    averages = _averages(np.concatenate(losses), 500)
    for index in range(5_000, 10_000, 100):
        assert history.at(index, 0.25).smoothed == pytest.approx(averages[index], rel=1e-6)


def _averages(losses: np.ndarray, tau: float) -> list[float]:
    """Of batches of one sample, one by one."""
    share, level, seen, found = -math.expm1(-1 / tau), 0.0, 0, []
    for loss in losses.tolist():
        if not math.isnan(loss):
            level, seen = level + share * (loss - level), seen + 1
        found.append(level / -math.expm1(-seen / tau) if seen else math.nan)
    return found


def test_the_same_window_of_the_same_batches_is_the_same_object() -> None:
    history = History(2_000)
    history.append(plain_chunk(1, 500))
    assert history.polyline(Axis.SAMPLES, 0, 900, 100) is history.polyline(Axis.SAMPLES, 0, 900, 100)


def test_a_change_in_mid_epoch_costs_no_more_however_many_epochs_follow() -> None:
    history, batch, samples = History(100), 1, 0
    for epoch, sizes in enumerate([[30, 30, 20, 20], *[[20] * 5] * 50], start=1):
        for size in sizes:
            chunk = plain_chunk(batch, 1, size=size, epoch=epoch)
            history.append(msgspec.structs.replace(chunk, samples=samples))
            batch, samples = batch + 1, samples + size
    assert history.at(len(history) - 1).samples == 51 * 100 - 20
    assert len(history._positions._segments) == 3


def test_an_epoch_longer_than_the_ones_before_is_placed_right() -> None:
    history, batch = History(3), 1
    for epoch, count in enumerate([3, 3, 5, 2], start=1):
        history.append(plain_chunk(batch, count, epoch=epoch))
        batch += count
    polyline = history.polyline(Axis.SAMPLES, 0, 20, 20)
    assert polyline.x.tolist() == list(range(13))
    assert [history.at(i).epoch for i in range(13)] == [1] * 3 + [2] * 3 + [3] * 5 + [4] * 2
