"""Builds: what is compiled, with the compiler replaced by a copy of what it would make."""

import pytest

from engine.training.compiled.build import updates_in_time


@pytest.mark.parametrize(
    ("updates", "operations", "fewer"),
    [(31, 32, 31), (22, 66, 11), (16, 70, 8), (10, 130, 5), (13, 100, 10), (16, 5000, 1)],
)
def test_blocks_of_many_operations_have_fewer_updates(
    updates: int, operations: int, fewer: int
) -> None:
    assert updates_in_time(updates, operations) == fewer
    assert updates_in_time(fewer, operations) == fewer, "so that a repetition finds the same"
