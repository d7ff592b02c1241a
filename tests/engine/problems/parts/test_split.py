"""Held-out samples: how many, of which class, and fixed by the seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.problems.parts.split import hold_out, hold_out_stratified

SHARES = st.floats(0.01, 0.9)
SEEDS = st.integers(0, 2**63 - 1)


@given(n=st.integers(2, 200), share=SHARES, seed=SEEDS)
def test_every_sample_is_on_one_side(n: int, share: float, seed: int) -> None:
    train, held_out = hold_out(n, share, seed)
    assert sorted([*train, *held_out]) == list(range(n))
    assert len(held_out) == min(max(round(n * share), 1), n - 1)


@given(labels=st.lists(st.integers(0, 4), min_size=2, max_size=100), share=SHARES, seed=SEEDS)
def test_every_class_is_held_out_in_proportion(labels: list[int], share: float, seed: int) -> None:
    numbers = np.array(labels)
    train, held_out = hold_out_stratified(numbers, share, seed)
    assert sorted([*train, *held_out]) == list(range(len(labels)))
    for label in set(labels):
        count = labels.count(label)
        assert (numbers[held_out] == label).sum() <= count - 1
    most = int((np.unique(numbers, return_counts=True)[1] - 1).sum())
    assert abs(len(held_out) - min(len(numbers) * share, most)) <= 1


def test_the_seed_fixes_the_split_and_another_makes_another() -> None:
    labels = np.arange(100) % 3
    for split in (
        lambda seed: hold_out(100, 0.2, seed),
        lambda seed: hold_out_stratified(labels, 0.2, seed),
    ):
        assert np.array_equal(split(1)[1], split(1)[1])
        assert not np.array_equal(split(1)[1], split(2)[1])


def test_a_split_is_not_the_first_samples() -> None:
    """Sorted files are common: a held-out part must come from all over."""
    train, _ = hold_out(1000, 0.5, 0)
    assert 200 < (train < 500).sum() < 300


@pytest.mark.parametrize(
    ("sizes", "share", "held_out"),
    [
        ([2] * 50, 0.2, 20),  # rounded one by one: none
        ([3] * 50, 0.2, 30),  # a third
        ([4] * 30, 0.1, 12),
        ([1] * 40 + [60], 0.2, 20),  # a class of one is never held out
        ([500, 300, 7, 3, 2], 0.25, 203),
    ],
)
def test_small_classes_keep_the_share_of_all(sizes: list[int], share: float, held_out: int) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    train, rest = hold_out_stratified(labels, share, 0)
    assert len(rest) == held_out
    assert set(labels[train]) == set(labels)
    assert sorted([*train, *rest]) == [*range(len(labels))]
