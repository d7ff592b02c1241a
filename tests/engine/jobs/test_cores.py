"""Shares of the cores."""

import pytest

from engine.jobs.cores import fair_threads


@pytest.mark.parametrize(
    ("cores", "workers", "threads"),
    [(2, 1, 1), (2, 3, 1), (8, 3, 2), (16, 3, 5), (1, 1, 1), (64, 1, 63)],
)
def test_the_workers_share_the_cores_but_one(cores: int, workers: int, threads: int) -> None:
    assert fair_threads(cores, workers) == threads
