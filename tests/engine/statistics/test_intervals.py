"""Intervals against published values, verdicts against hand-made intervals."""

import math

import numpy as np
import pytest

from engine.experiments.report import Arm, Verdict
from engine.experiments.verdicts import all_above_zero, below, counted, escape
from engine.statistics.intervals import bootstrap, wilson


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(count: int, n: int, low: float, high: float) -> None:
    assert wilson(count, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_is_symmetric_and_stays_inside() -> None:
    for count in range(21):
        low, high = wilson(count, 20)
        other_low, other_high = wilson(20 - count, 20)
        assert (1 - low, 1 - high) == pytest.approx((other_high, other_low))
        assert 0 <= low <= count / 20 <= high <= 1


@pytest.mark.parametrize(("count", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_wilson_refuses_what_is_no_count(count: int, n: int) -> None:
    with pytest.raises(ValueError, match="of"):
        wilson(count, n)


def test_the_bootstrap_is_near_the_normal_interval_of_the_mean() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, size=400)
    low, high = bootstrap(values.tolist())
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


def test_the_bootstrap_is_seeded_and_sound_at_its_ends() -> None:
    assert bootstrap([1.0, 2.0, 4.0]) == bootstrap([1.0, 2.0, 4.0])
    assert bootstrap([5.0, 5.0]) == (5.0, 5.0)
    with pytest.raises(ValueError, match="finite"):
        bootstrap([])
    with pytest.raises(ValueError, match="finite"):
        bootstrap([1.0, math.nan])


def _escaped(count: int, n: int) -> Arm:
    return counted(1, [True] * count + [False] * (n - count))


@pytest.mark.parametrize(
    ("smallest", "full", "n", "verdict"),
    [
        (20, 0, 20, Verdict.SUPPORTED),
        (18, 1, 20, Verdict.SUPPORTED),
        (12, 0, 20, Verdict.UNDECIDED),
        (20, 20, 20, Verdict.NOT_SUPPORTED),
        (0, 0, 20, Verdict.NOT_SUPPORTED),
        (2, 0, 2, Verdict.UNDECIDED),  # too few to tell
    ],
)
def test_escapes_become_a_verdict(smallest: int, full: int, n: int, verdict: Verdict) -> None:
    assert escape(_escaped(smallest, n), _escaped(full, n)) is verdict


def test_differences_become_a_verdict() -> None:
    assert all_above_zero([(0.1, 0.2), (1, 2)]) is Verdict.SUPPORTED
    assert all_above_zero([(0.1, 0.2), (-1, 2)]) is Verdict.UNDECIDED
    assert all_above_zero([(0.1, 0.2), (-2, -1)]) is Verdict.NOT_SUPPORTED


def test_limits_become_a_verdict() -> None:
    assert below([((0.1, 0.2), 0.3), ((5, 6), 7)]) is Verdict.SUPPORTED
    assert below([((0.1, 0.4), 0.3), ((5, 6), 7)]) is Verdict.UNDECIDED
    assert below([((0.1, 0.2), 0.3), ((8, 9), 7)]) is Verdict.NOT_SUPPORTED
