"""The smoothed loss after the newest batches is that of all of them, one by one."""

import math

import msgspec
import numpy as np
import pytest
from plain_chunks import plain_chunk

from gdtui.chart.scene.polyline import Axis
from gdtui.history import History
from gdtui.history.smoothing import SMOOTHING_LADDER


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
        for index in {
            start,
            *rng.integers(0, len(history), 3).tolist(),
            max(len(history) - 5_000, 0),
        }:
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
    """Averages of batches of one sample, one by one."""
    share, level, seen, found = -math.expm1(-1 / tau), 0.0, 0, []
    for loss in losses.tolist():
        if not math.isnan(loss):
            level, seen = level + share * (loss - level), seen + 1
        found.append(level / -math.expm1(-seen / tau) if seen else math.nan)
    return found
