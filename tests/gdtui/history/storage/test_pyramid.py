"""Sums and extremes over ranges of a long run."""

import numpy as np
from plain_chunks import plain_chunk

from gdtui.chart.scene.polyline import Axis
from gdtui.history import History


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


def test_the_losses_beyond_limits_are_counted_exactly_as_they_arrive() -> None:
    history, values = History(2_000), np.empty(0)
    limits, narrow = (0.36, 0.66), (0.45, 0.55)
    for batch in range(1, 200_000, 1_000):
        chunk = plain_chunk(batch, 1_000)
        history.append(chunk)
        values = np.concatenate((values, np.frombuffer(chunk.losses, "<f4").astype(float)))
        if batch % 7_000 < 1_000:
            for low, high in (limits, narrow) if batch % 21_000 < 1_000 else (limits,):
                found = history.beyond(Axis.SAMPLES, 0.0, 1e9, (low, high))
                assert found == ((values < low).sum(), (values > high).sum())
    for first, last in ((0, 10), (5_000, 150_000), (31, 33), (199_990, 300_000)):
        inside = values[first : last + 1]
        found = history.beyond(Axis.SAMPLES, first, last, limits)
        assert found == ((inside < limits[0]).sum(), (inside > limits[1]).sum())
    assert History(2_000).beyond(Axis.SAMPLES, 0.0, 1.0, limits) == (0, 0)
