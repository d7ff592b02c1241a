"""Batches and groups: every sample once, groups closed at the epoch's end, weights that add up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.settings import FULL, VariantSettings
from engine.training.schedule import cut, epoch_end, epoch_order

batch_sizes = st.integers(1, 300) | st.just(FULL)


@given(
    n=st.integers(1, 300),
    batch_size=batch_sizes,
    steps=st.integers(1, 9),
    start=st.integers(0, 299),
)
def test_groups_cover_the_rest_of_the_epoch_exactly_once(
    n: int, batch_size: int | str, steps: int, start: int
) -> None:
    start = min(start, n)
    resolved = VariantSettings(batch_size=batch_size, accumulation_steps=steps).resolve(n)  # type: ignore[arg-type]
    batches = list(cut(start, n, resolved))

    assert [k for batch in batches for k in range(batch.start, batch.stop)] == list(range(start, n))
    group: list[int] = []
    for batch in batches:
        assert batch.in_update == len(group)
        group.append(batch.size)
        assert len(group) <= resolved.accumulation_steps
        if batch.closes_group:
            assert sum(group) == batch.group_samples
            group = []
    assert group == [], "a group reaches over the end of the epoch"
    assert all(batch.size == resolved.batch_size for batch in batches[:-1])


@given(
    n=st.integers(1, 300),
    batch_size=st.integers(1, 300),
    steps=st.integers(1, 9),
    start=st.integers(0, 299),
)
def test_drop_last_leaves_only_whole_batches(
    n: int, batch_size: int, steps: int, start: int
) -> None:
    start, batch_size = min(start, n), min(batch_size, n)
    resolved = VariantSettings(batch_size=batch_size, accumulation_steps=steps).resolve(n)
    end = epoch_end(start, n, resolved, drop_last=True)
    sizes = [batch.size for batch in cut(start, end, resolved)]
    if resolved.is_full:
        assert sum(sizes) == n - start
    else:
        assert sizes == [batch_size] * ((n - start) // batch_size)


def test_full_drops_nothing_even_in_pieces() -> None:
    resolved = VariantSettings(batch_size=FULL, accumulation_steps=3).resolve(10)
    assert epoch_end(0, 10, resolved, drop_last=True) == 10


@given(seed=st.integers(0, 2**63 - 1), epoch=st.integers(1, 10**6), n=st.integers(1, 500))
def test_an_order_is_a_permutation_fixed_by_seed_and_epoch(seed: int, epoch: int, n: int) -> None:
    order = epoch_order(seed, epoch, n)
    assert sorted(order) == list(range(n))
    assert np.array_equal(order, epoch_order(seed, epoch, n))


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = {tuple(epoch_order(seed, epoch, 50)) for seed in range(5) for epoch in range(1, 6)}
    assert len(orders) == 25


@given(
    n=st.integers(1, 300), batch_size=batch_sizes, steps=st.integers(1, 9), most=st.integers(1, 300)
)
def test_micro_batches_make_up_their_batch(
    n: int, batch_size: int | str, steps: int, most: int
) -> None:
    resolved = VariantSettings(batch_size=batch_size, accumulation_steps=steps).resolve(n)  # type: ignore[arg-type]
    weights = 0.0
    for batch in cut(0, n, resolved, most):
        parts = list(batch.micro_batches)
        assert [k for part in parts for k in range(part.start, part.stop)] == list(
            range(batch.start, batch.stop)
        )
        assert all(part.stop - part.start <= most for part in parts)
        assert sum(part.batch_share for part in parts) == pytest.approx(1.0)
        weights += sum(part.weight for part in parts)
        if batch.closes_group:
            assert weights == pytest.approx(1.0)
            weights = 0.0
