"""The trail of weights: what is written is read, sparsely, and a torn end is not there yet."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from canary import PLANTS, CanaryTree

from engine.measure.weights_log import (
    MOST_PARAMETERS,
    Trail,
    TrailError,
    TrailWriter,
    next_row,
    trail_path,
)


def weights(k: int) -> np.ndarray:
    return np.arange(5, dtype=np.float32) + k


def written(path: Path, updates: int, size: int = 5) -> TrailWriter:
    """A generation of so many updates, a row wherever one is due."""
    writer = TrailWriter(path, size)
    writer.begin()
    for done in range(updates + 1):
        if writer.is_due(done):
            writer.add(1, done, done * 64, done / 10, weights(done))
    return writer


def test_rows_come_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "a.weights"
    written(path, 3)
    rows = Trail(path).read()
    assert rows["updates"].tolist() == [0, 1, 2, 3]
    assert rows["samples"].tolist() == [0, 64, 128, 192]
    assert np.array_equal(rows["weights"], [weights(k) for k in range(4)])


@pytest.mark.parametrize("parameters", [5, 10_000, 1_000_000])
def test_a_trail_stays_small_in_ten_million_updates(parameters: int) -> None:
    rows, done = 0, 0
    while done < 10**7:
        rows, done = rows + 1, next_row(done, parameters * 4)
    assert 12 <= rows <= 600
    assert rows * parameters * 4 <= 80 << 20


def test_a_torn_row_is_not_there_yet_and_is_cut_by_the_next_writer(tmp_path: Path) -> None:
    path = tmp_path / "a.weights"
    written(path, 2)
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    assert Trail(path).read()["updates"].tolist() == [0, 1]
    again = TrailWriter(path, 5)
    again.begin()
    again.add(2, 0, 0, 0, weights(7))
    rows = Trail(path).read()
    assert rows["generation"].tolist() == [2]
    assert np.array_equal(rows["weights"][0], weights(7))


def test_only_the_latest_generation_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.weights"
    writer = written(path, 4)
    writer.begin()
    assert writer.is_due(0)
    writer.add(2, 0, 0, 0, weights(9))
    assert Trail(path).read()["updates"].tolist() == [0]


def test_a_model_of_another_size_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.weights"
    written(path, 4)
    other = TrailWriter(path, 2)
    other.begin()
    other.add(1, 0, 0, 0, np.zeros(2))
    assert Trail(path).read()["weights"].shape == (1, 2)


@pytest.mark.parametrize("content", [None, b"", b"gdtrail\x01\x05", b"something else entirely"])
def test_no_trail_has_no_rows(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.weights"
    if content is not None:
        path.write_bytes(content)
    assert len(Trail(path).read()) == 0


def test_it_lies_beside_the_log(tmp_path: Path) -> None:
    assert trail_path(tmp_path / "1-sgd.gdlog") == tmp_path / "1-sgd.weights"


@pytest.mark.parametrize("plant", PLANTS)
def test_a_trail_that_is_no_file_is_neither_read_nor_written(plant: str, tmp_path: Path) -> None:
    canary = CanaryTree(tmp_path / "outside")
    path = tmp_path / "a.weights"
    PLANTS[plant](path, canary.file)
    writer = TrailWriter(path, 5)
    with pytest.raises(OSError, match="not a file of a run"):
        writer.begin()
    with pytest.raises(OSError, match="not a file of a run"):
        writer.add(1, 0, 0, 0.0, weights(0))
    with pytest.raises(TrailError, match="not a file of a run"):
        Trail(path).read()
    canary.check()


@pytest.mark.parametrize("size", [2**64 - 1, 2**40, 10**5])
def test_an_impossible_size_is_no_trail(size: int, tmp_path: Path) -> None:
    """Somebody else's file: its header asks for more than there is."""
    path = tmp_path / "a.weights"
    path.write_bytes(b"gdtrail\x01" + size.to_bytes(8, "little") + bytes(10_000))
    assert len(Trail(path).read()) == 0


def test_a_trail_without_an_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.weights"
    path.touch()
    os.truncate(path, 1 << 43)
    with pytest.raises(TrailError, match="is larger than"):
        Trail(path).read()


@pytest.mark.parametrize("size", [MOST_PARAMETERS + 1, 10**9])
def test_the_weights_of_a_large_model_are_not_recorded_and_the_reader_is_given_the_reason(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "a.weights"
    writer = TrailWriter(path, size)
    writer.begin()
    assert not writer.is_due(0)
    assert not writer.is_kept
    writer.add(1, 0, 0, 0.0, np.zeros(1, np.float32))
    assert path.stat().st_size == 16
    with pytest.raises(TrailError, match=f"this one has {size:,}"):
        Trail(path).read()


def test_large_rows_keep_their_distance_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(np.arange(1000.0, 3000.0, 0.25).tolist())
    now = 0.0

    def tick() -> float:
        nonlocal now
        now = next(clock)
        return now

    monkeypatch.setattr(time, "monotonic", tick)
    writer = TrailWriter(tmp_path / "a.weights", 300_000)
    writer.begin()
    writer.add(1, 0, 0, 0.0, np.zeros(300_000, np.float32))
    written = now
    while not writer.is_due(10**6):
        pass
    assert now >= written + 1000 * 0.25
