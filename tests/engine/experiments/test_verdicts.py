"""Verdicts against hand-made intervals."""

import pytest

from engine.experiments.report import Arm, Verdict
from engine.experiments.verdicts import all_above_zero, below, counted, escape


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
