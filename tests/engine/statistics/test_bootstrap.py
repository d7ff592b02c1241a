"""The bootstrap against the normal interval, and at its ends."""

import math

import numpy as np
import pytest

from engine.statistics.bootstrap import bootstrap


def test_the_bootstrap_is_near_the_normal_interval_of_the_mean() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, size=400)
    low, high = bootstrap(values.tolist())
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert (low, high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.1 * half
    )


def test_the_bootstrap_is_seeded_and_sound_at_its_ends() -> None:
    assert bootstrap([1.0, 2.0, 4.0]) == bootstrap([1.0, 2.0, 4.0])
    assert bootstrap([5.0, 5.0]) == (5.0, 5.0)
    with pytest.raises(ValueError, match="finite"):
        bootstrap([])
    with pytest.raises(ValueError, match="finite"):
        bootstrap([1.0, math.nan])
