"""Generations that begin after a point: rewinds and forks, against a training that never left it.

A training with other settings from a batch on is that of a change at this batch.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec.structs import replace
from scripted_worker import SETTINGS, evaluations, rows, work
from torch import nn

from engine.checkpoint.store import CheckpointStore
from engine.log.commands import Change, Extend, Restart, Rewind
from engine.log.file import MAGIC, frame
from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    Point,
    Refused,
    Resumed,
    Started,
    State,
    StateChanged,
)
from engine.problem import Problem
from engine.problems import registry
from engine.settings import FULL, LrSchedule, VariantSettings

LAST = 52
"""Batches of four epochs of 50 samples, 4 at a time."""
Row = tuple[Any, ...]


def problem() -> Problem:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(50, 4, generator=generator)
    return Problem(
        train=(inputs, inputs.sum(1, keepdim=True)),
        model=lambda: nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 1)
        ),
        loss=nn.MSELoss(),
    )


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda name, seed, data: problem())


def of_generation(records: list[AnyRecord], generation: int, after: int = 0) -> list[Row]:
    """The rows of a generation after a batch, without its number."""
    return [row[1:] for row in rows(records) if row[0] == generation and row[1] > after]  # type: ignore[operator]


def last_start(records: list[AnyRecord]) -> Started:
    return next(each for each in reversed(records) if isinstance(each, Started))


def thinned(log: Path, at: int) -> None:
    for each in CheckpointStore(log).stored():
        if each.batches > at:
            each.path.unlink()


@pytest.mark.parametrize("checkpoints", [-1, 10**9])
@pytest.mark.parametrize(("at", "begins"), [(7, 6), (13, 13), (14, 13), (30, 30), (52, 52)])
def test_rewinding_repeats_the_future(
    tmp_path: Path, at: int, begins: int, checkpoints: int
) -> None:
    log = tmp_path / "a.gdlog"
    work(log)
    thinned(log, checkpoints)
    rewind = Rewind(id=1, settings=SETTINGS, batches=at)
    records = work(log, (LAST, rewind), is_resumed=True, number=2)
    started = last_start(records)
    assert started.generation == 2
    assert started.origin is not None
    assert (started.origin.batches, started.command) == (begins, 1)
    assert of_generation(records, 2) == of_generation(records, 1, after=begins)
    assert evaluations(records)[-1][:3] == (4, LAST, evaluations(records)[4][2])
    assert records[-2].state is State.FINISHED  # type: ignore[union-attr]
    resumed = [each for each in records if isinstance(each, Resumed)][-1]
    assert (resumed.generation, resumed.batches, resumed.differing) == (2, begins, 0)


@pytest.mark.parametrize(
    "settings",
    [
        replace(SETTINGS, batch_size=8),
        replace(SETTINGS, batch_size=FULL, accumulation_steps=4, lr=0.05),
        VariantSettings(batch_size=5, momentum=0.9, lr=0.02, schedule=LrSchedule.LINEAR),
        VariantSettings(batch_size=4, optimizer="adam", batch_warmup=0.9, clip=0.5),
    ],
)
def test_a_fork_is_a_change_at_its_point(
    tmp_path: Path, settings: VariantSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One batch a chunk: the change comes at the same batch, however slow the machine is, and
    # leaves no batch of one sample, which batch norm refuses.
    monkeypatch.setattr("engine.worker.pace.CHUNK_SECONDS", 0.0)
    changed, log, fork = (tmp_path / f"{name}.gdlog" for name in ("changed", "a", "fork"))
    expected = work(changed, (20, Change(id=1, settings=settings)))
    at = next(each for each in expected if isinstance(each, Changed)).batch - 1
    before = rows(work(log))[:at]
    forked = work(
        fork, settings=settings, origin=Point(variant="a", batches=at), others={"a": str(log)}
    )
    origin = last_start(forked).origin
    assert origin is not None
    assert (origin.variant, origin.generation, origin.batches) == ("a", 1, at)
    assert rows(expected)[:at] == before
    assert of_generation(forked, 1) == of_generation(expected, 1, after=at)


def test_points_lie_in_earlier_generations_and_their_origins(tmp_path: Path) -> None:
    """A point before the origin is one of the generation that the origin lies in."""
    log = tmp_path / "a.gdlog"
    other = replace(SETTINGS, batch_size=10, lr=0.03)
    records = work(
        log,
        (30, Change(id=1, settings=replace(SETTINGS, momentum=0.0, lr=0.02))),
        (45, Rewind(id=2, settings=other, batches=26)),
        (36, Rewind(id=3, settings=SETTINGS, batches=11)),
        (20, Rewind(id=4, settings=other, generation=2, batches=31)),
        (34, Rewind(id=5, settings=SETTINGS, generation=1, batches=41)),
    )
    origins = {each.generation: each.origin for each in records if isinstance(each, Started)}
    found = [(each.generation, each.batches) for each in origins.values() if each is not None]
    assert found[:2] == [(1, 26), (1, 10)]
    assert found[2][0] == 2
    assert found[3][0] == 1
    thinned(log, -1)
    end = len(origins)
    again = work(
        log, (LAST, Rewind(id=9, settings=SETTINGS, batches=50)), is_resumed=True, number=2
    )
    begins = last_start(again).origin
    assert begins is not None
    assert of_generation(again, end + 1) == of_generation(again, end, after=begins.batches)


def test_a_rewind_that_was_killed_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "a.gdlog"
    bigger = replace(SETTINGS, batch_size=8)
    whole = work(log, (LAST, Rewind(id=1, settings=bigger, batches=40)))
    for last in (Started, Chunk):
        kept = [MAGIC]
        for record in whole:
            kept.append(frame(record))
            if isinstance(record, last) and record.generation == 2:
                break
        log.write_bytes(b"".join(kept))
        thinned(log, 30)
        again = work(log, is_resumed=True, number=2)
        assert of_generation(again, 2) == of_generation(whole, 2)


def test_next_command_replaces_a_rewind(tmp_path: Path) -> None:
    """Here the next commands come before the first slice is repeated."""
    log = tmp_path / "a.gdlog"
    work(log)
    thinned(log, -1)
    records = work(
        log,
        (LAST, Rewind(id=1, settings=SETTINGS, batches=40)),
        (39, Rewind(id=2, settings=SETTINGS, generation=1, batches=20)),
        (19, Restart(id=3, settings=SETTINGS)),
        is_resumed=True,
        number=2,
    )
    starts = [each for each in records if isinstance(each, Started)]
    assert [each.command for each in starts] == [0, 1, 2, 3]
    assert not of_generation(records, 2)
    assert of_generation(records, 4) == of_generation(records, 1)


@pytest.mark.parametrize(
    ("command", "trouble"),
    [
        (Rewind(id=7, settings=SETTINGS, batches=53), "a has trained 52 batches so far, not 53"),
        (Rewind(id=7, settings=SETTINGS, generation=2, batches=5), "a has no generation 2"),
    ],
)
def test_batches_that_were_not_trained_are_refused(
    tmp_path: Path, command: Rewind, trouble: str
) -> None:
    records = work(tmp_path / "a.gdlog", (LAST, command))
    (refused,) = [each for each in records if isinstance(each, Refused)]
    assert (refused.detail, refused.command) == (trouble, 7)
    assert isinstance(records[-3], StateChanged)
    assert records[-3].state is State.FINISHED


def test_forks_from_nowhere_fail_in_a_sentence(tmp_path: Path) -> None:
    records = work(tmp_path / "b.gdlog", origin=Point(variant="a", batches=3))
    (failed,) = [each for each in records if isinstance(each, StateChanged)]
    assert failed.state is State.FAILED
    assert failed.detail == "no variant 'a'; choose from b"


def test_epochs_and_first_weights(tmp_path: Path) -> None:
    """A rewind to batch 0 is a restart; one with more epochs planned trains them."""
    log = tmp_path / "a.gdlog"
    constant = replace(SETTINGS, schedule=LrSchedule.CONSTANT)
    records = work(
        log,
        (20, Rewind(id=1, settings=constant, batches=1)),
        (LAST, Extend(id=2, epochs=5)),
        (65, Rewind(id=3, settings=constant, batches=46)),
    )
    origins = [each.origin for each in records if isinstance(each, Started)]
    assert origins[:2] == [None, None]
    assert origins[2] is not None
    assert origins[2].batches == 45
    assert of_generation(records, 3) == of_generation(records, 2, after=45)
