"""Epochs in one record: everything about each batch is what a record of its own would say."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.log.file import LogReader
from engine.log.records import Chunk
from engine.log.records.chunk import joined, packed
from engine.log.writing.writer import LogWriter


@dataclass
class Epochs:
    """The shape of some epochs that go alike."""

    batches: int
    batch_size: int
    last: int
    steps: int

    def chunk(self, number: int) -> Chunk:
        """The one chunk of an epoch."""
        done = number - 1
        samples = (self.batches - 1) * self.batch_size + self.last
        updates = -(-self.batches // self.steps)
        return Chunk(
            generation=1,
            epoch=number,
            batch=1 + done * self.batches,
            update=1 + done * updates,
            in_update=0,
            samples=done * samples,
            seconds=0.5 * done,
            duration=0.5,
            batch_size=self.batch_size,
            last_batch_size=self.last,
            accumulation_steps=self.steps,
            lr=0.01,
            losses=np.arange(self.batches, dtype="<f4").tobytes(),
        )


@st.composite
def epochs(draw: st.DrawFn) -> Epochs:
    size = draw(st.integers(1, 50))
    last = draw(st.integers(1, size))
    return Epochs(draw(st.integers(1, 7)), size, last, draw(st.integers(1, 4)))


@given(epochs(), st.integers(1, 9), st.integers(1, 1000))
def test_joined_epochs_are_what_each_was(shape: Epochs, count: int, first: int) -> None:
    chunks = [shape.chunk(first + k) for k in range(count)]
    assert all(a.goes_on_with(b) for a, b in pairwise(chunks))
    one = joined(chunks)
    assert list(one.by_epoch()) == chunks
    last = chunks[-1]
    assert (one.batches, one.last_epoch) == (count * shape.batches, last.epoch)
    assert (one.end_samples, one.last_update) == (last.end_samples, last.last_update)
    assert one.goes_on_with(shape.chunk(first + count))


@pytest.mark.parametrize(
    "other",
    [
        {"batch_size": 5},
        {"last_batch_size": 1},
        {"accumulation_steps": 1},
        {"generation": 2},
        {"epoch": 4},
        {"update": 6},
        {"losses": b"\0" * 8},
        {"behind": True},
    ],
)
def test_epochs_that_differ_stay_apart(other: dict[str, object]) -> None:
    shape = Epochs(3, 4, 2, 2)
    assert not shape.chunk(1).goes_on_with(replace(shape.chunk(2), **other))


def test_a_log_of_thousands_of_short_epochs_takes_little_more_than_their_losses(
    tmp_path: Path,
) -> None:
    shape = Epochs(1, 2000, 2000, 1)
    with LogWriter(tmp_path / "a.gdlog") as log:
        log.append(joined([shape.chunk(1 + k) for k in range(5000)]))
    assert (tmp_path / "a.gdlog").stat().st_size <= 4 * 5000 + 500
    (back,) = LogReader(tmp_path / "a.gdlog")
    assert isinstance(back, Chunk)
    assert back.epochs == 5000


def test_a_record_of_several_epochs_keeps_the_lr_of_each_update() -> None:
    shape = Epochs(5, 4, 2, 2)  # 5 batches in groups of 2: 3 updates an epoch
    lrs = [packed([0.1, 0.2, 0.3]), 0.5, packed([0.3, 0.2, 0.1])]
    counts = [0, 3, 1]
    chunks = [
        replace(shape.chunk(1 + k), lr=lr, clipped=counts[k], skipped=k) for k, lr in enumerate(lrs)
    ]
    one = joined(chunks)
    assert one.lrs == (0.1, 0.2, 0.3, 0.5, 0.5, 0.5, 0.3, 0.2, 0.1)
    assert one.last_lr == 0.1
    assert (one.clipped, one.skipped) == (4, 3)
    parts = list(one.by_epoch())
    assert [part.lr for part in parts] == lrs
    assert sum(part.clipped for part in parts) == 4


def test_equal_lrs_are_one_number() -> None:
    assert packed([0.25] * 7) == 0.25
    assert joined([Epochs(1, 8, 8, 1).chunk(k) for k in (1, 2)]).lr == 0.01
