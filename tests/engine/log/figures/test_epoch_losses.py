"""Losses of epochs: figures over all of them, in memory that does not grow with them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.log.figures.epoch_losses import EpochLosses

PARTS = st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), min_size=1, max_size=12)


@given(PARTS, st.sampled_from([4, 16, 1024]))
def test_figures_are_of_all_and_an_even_choice_is_kept(parts: list[list[float]], most: int) -> None:
    found = EpochLosses(most)
    for part in parts:
        found.add(np.array(part))
    every = np.concatenate([np.array(part) for part in parts])
    assert (len(found), found.last) == (len(every), every[-1])
    assert found.variance == pytest.approx(np.var(every), rel=1e-6, abs=1e-3)
    assert found.losses.tolist() == every[found.epochs - 1].tolist()
    assert len(found.losses) <= most + 1
    assert (found.epochs[0], found.epochs[-1]) == (1, len(every))
    assert set(np.diff(found.epochs[:-1]).tolist()) <= {found.stride}
    assert found.is_complete == (len(every) <= most)


def test_nothing_has_no_figures() -> None:
    found = EpochLosses()
    assert len(found) == len(found.losses) == len(found.epochs) == 0
    assert math.isnan(found.last)
    assert math.isnan(found.variance)


@pytest.mark.parametrize("odd", [math.nan, math.inf])
@pytest.mark.parametrize("most", [2, 64])
def test_a_loss_that_is_not_finite_leaves_no_variance(odd: float, most: int) -> None:
    found = EpochLosses(most)
    for losses in ([1.0, 2.0], [odd], [3.0, 4.0]):
        found.add(np.array(losses))
    assert math.isnan(found.variance)
    assert found.last == 4.0
