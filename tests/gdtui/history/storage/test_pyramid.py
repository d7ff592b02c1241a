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
