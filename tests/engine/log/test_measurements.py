"""The smoothed noise scale: a quotient of averages, in an interval that narrows on the truth."""

import math

import msgspec
import numpy as np
import pytest

from engine.log.measurements import DECAY, NoiseScale, SmoothedNoise
from engine.measure.noise import noise_scale

N, BATCH, COUNT = 100_000, 4, 32
MEAN = np.array([0.6, 0.0, -0.2])
TRUE = 3 / float(MEAN @ MEAN)
"""Samples with unit variance in each of three coordinates."""


def measurement(generator: np.random.Generator) -> NoiseScale:
    return noise_scale(MEAN + generator.standard_normal((COUNT, 3)) / math.sqrt(BATCH), BATCH, N)


def measured(trace: float, squared: float, samples: int = 64, error: float = 10.0) -> NoiseScale:
    return NoiseScale(
        value=trace / squared, low=0, high=1, trace=trace, gradient_squared=squared,
        samples=samples, batches=16, covariance=(error**2, 0.0, error**2),
    )  # fmt: skip


def test_one_measurement_is_its_own_average() -> None:
    found = measurement(np.random.default_rng(1))
    once = SmoothedNoise().add(found)
    assert once.value == pytest.approx(found.value)
    assert (once.low, once.high) == pytest.approx((found.low, found.high))


def test_traces_and_gradients_are_averaged_apart_and_the_older_fade() -> None:
    smoothed = SmoothedNoise()
    smoothed.add(measured(10, 1))
    found = smoothed.add(measured(20, 4))
    assert found.value == pytest.approx((DECAY * 10 + 20) / (DECAY * 1 + 4))


def test_each_weighs_as_the_samples_that_it_saw() -> None:
    smoothed = SmoothedNoise()
    smoothed.add(measured(10, 1, samples=400))
    found = smoothed.add(measured(20, 4, samples=100))
    assert found.value == pytest.approx((DECAY * 400 * 10 + 100 * 20) / (DECAY * 400 + 100 * 4))


def test_at_weights_that_stand_still_the_interval_narrows_and_holds_the_truth() -> None:
    held, narrower = 0, []
    for seed in range(60):
        generator = np.random.default_rng(seed)
        smoothed = SmoothedNoise()
        first = smoothed.add(measurement(generator))
        for _ in range(9):
            last = smoothed.add(measurement(generator))
        held += last.low <= TRUE <= last.high
        narrower.append(math.log(last.high / last.low) / math.log(first.high / first.low))
    assert held >= 53  # of 60, at 95%: fewer in 2 of 100 such tests
    assert float(np.median(narrower)) == pytest.approx(1 / math.sqrt(7), abs=0.08)


def test_what_training_has_left_behind_is_dropped() -> None:
    smoothed = SmoothedNoise()
    smoothed.add(measured(10, 1.0, error=0.01))
    assert smoothed.add(measured(10, 0.1, error=0.01)).value == pytest.approx(100)
    assert smoothed.add(measured(60, 0.1, error=0.01)).value == pytest.approx(600)


def test_one_of_unknown_covariance_stands_for_itself() -> None:
    smoothed = SmoothedNoise()
    smoothed.add(measured(10, 1))
    old = msgspec.structs.replace(measured(20, 4), covariance=None, batches=0)
    assert smoothed.add(old) is old
    assert smoothed.add(measured(10, 1)).value == pytest.approx(10)
