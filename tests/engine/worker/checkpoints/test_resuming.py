"""A training that goes on after its worker was killed, against one that never was.

Each test cuts a log where a kill would have left it, with the checkpoints of that time.
"""

from pathlib import Path

import pytest
import torch
from scripted_worker import EPOCHS, evaluations, losses, rows, work
from torch import nn

from engine.checkpoint.store import CheckpointStore
from engine.log.commands import Change, Extend, Stop
from engine.log.file import MAGIC, LogReader, frame
from engine.log.lineage.past import Past
from engine.log.records import AnyRecord, Changed, Chunk, Resumed, State
from engine.problem import Problem
from engine.problems import registry
from engine.settings import FULL, VariantSettings


def problem() -> Problem:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(50, 4, generator=generator)
    held_out = torch.randn(10, 4, generator=generator)
    return Problem(
        train=(inputs, inputs.sum(1, keepdim=True)),
        validation=(held_out, held_out.sum(1, keepdim=True)),
        model=lambda: nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.2), nn.Linear(8, 1)),
        loss=nn.MSELoss(),
    )


def cut(log: Path, batches: int, torn: int = 0) -> None:
    """Leave what a kill would: records up to the first chunk with so many batches, a torn one."""
    kept, size = [MAGIC], 0
    for record in LogReader(log):
        kept.append(frame(record))
        if isinstance(record, Chunk) and record.batch - 1 + record.batches >= batches:
            size = torn
            break
    log.write_bytes(b"".join(kept) + b"\x07" * size)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda name, seed, data: problem())


@pytest.fixture
def expected(tmp_path: Path) -> list[AnyRecord]:
    return work(tmp_path / "undisturbed.gdlog")


def keep_only(store: CheckpointStore, at: int | None) -> None:
    """Only the checkpoints up to so many batches remain."""
    for each in store.stored():
        if at is None or each.batches > at:
            each.path.unlink()


@pytest.mark.parametrize("checkpoint", [None, 0, 10**9])
@pytest.mark.parametrize("batches", [0, 1, 7, 13, 26, 51])
def test_goes_on_after_a_kill(
    tmp_path: Path, expected: list[AnyRecord], batches: int, checkpoint: int | None
) -> None:
    log = tmp_path / "a.gdlog"
    work(log, stop=max(batches, 1))
    cut(log, batches, torn=batches % 5)
    before = losses(list(LogReader(log)))
    keep_only(CheckpointStore(log), checkpoint)
    resumed = work(log, is_resumed=True, number=2)
    assert losses(resumed)[: len(before)] == before
    assert rows(resumed) == rows(expected)
    assert evaluations(resumed) == evaluations(expected)
    (told,) = [each for each in resumed if isinstance(each, Resumed)]
    assert (told.batches, told.differing, told.refused) == (len(before) // 4, 0, ())
    assert resumed[-2].state is State.FINISHED  # type: ignore[union-attr]


def test_twice_in_a_row(tmp_path: Path, expected: list[AnyRecord]) -> None:
    log = tmp_path / "a.gdlog"
    work(log, stop=10)
    cut(log, 9)
    work(log, stop=30, is_resumed=True, number=2)
    cut(log, 25, torn=3)
    resumed = work(log, is_resumed=True, number=3)
    assert rows(resumed) == rows(expected)
    assert evaluations(resumed) == evaluations(expected)


@pytest.mark.parametrize("stop", [1, 3, 27])
def test_a_stop_within_a_group_takes_a_checkpoint_at_the_end_of_it(
    tmp_path: Path, expected: list[AnyRecord], stop: int
) -> None:
    log = tmp_path / "a.gdlog"
    work(log, stop=stop)
    done = Past.read(log).batches
    assert CheckpointStore(log).stored()[-1].batches == done >= stop
    resumed = work(log, is_resumed=True, number=2)
    (told,) = [each for each in resumed if isinstance(each, Resumed)]
    assert (told.batches, told.checkpoint) == (done, done)
    assert rows(resumed) == rows(expected)


@pytest.mark.parametrize("checkpoint", [0, 15, 10**9])
def test_changes_are_made_again_at_the_same_batches(tmp_path: Path, checkpoint: int) -> None:
    bigger = VariantSettings(batch_size=8, lr=0.02, momentum=0.9)
    undisturbed = work(
        tmp_path / "whole.gdlog", (11, Change(id=1, settings=bigger)), (20, Extend(id=2, epochs=6))
    )
    changed_at = _change_of(undisturbed)
    log = tmp_path / "whole.gdlog"
    cut(log, changed_at + 12)
    keep_only(CheckpointStore(log), checkpoint)
    resumed = work(log, epochs=6, is_resumed=True, number=2)
    assert rows(resumed) == rows(undisturbed)


def _change_of(records: list[AnyRecord]) -> int:
    return next(each.batch for each in records if isinstance(each, Changed))


def test_many_quick_epochs_are_trained_again(tmp_path: Path) -> None:
    log, settings = tmp_path / "quick.gdlog", VariantSettings(batch_size=FULL)
    before = work(log, epochs=600, settings=settings)
    keep_only(CheckpointStore(log), None)
    again = work(log, epochs=600, settings=settings, is_resumed=True, number=2)
    assert [each.differing for each in again if isinstance(each, Resumed)] == [0]
    assert rows(again) == rows(before)


def test_a_finished_training_goes_on_with_more_epochs(tmp_path: Path) -> None:
    longer = work(tmp_path / "longer.gdlog", (10**9, Stop(id=1)), epochs=EPOCHS)
    log = tmp_path / "longer.gdlog"
    again = work(log, is_resumed=True, number=2)
    assert rows(again) == rows(longer)
    assert again[-2].state is State.FINISHED  # type: ignore[union-attr]
    more = work(log, epochs=EPOCHS + 2, is_resumed=True, number=3)
    assert {row[3] for row in rows(more)} == {*range(1, EPOCHS + 3)}
    assert evaluations(more)[-1][0] == EPOCHS + 2


def test_a_damaged_checkpoint_is_told_and_the_one_before_taken(
    tmp_path: Path, expected: list[AnyRecord]
) -> None:
    log = tmp_path / "a.gdlog"
    work(log, stop=30)
    cut(log, 28)
    store = CheckpointStore(log)
    for each in store.stored()[1:]:
        data = bytearray(each.path.read_bytes())
        data[len(data) // 2] ^= 4
        each.path.write_bytes(data)
    resumed = work(log, is_resumed=True, number=2)
    assert rows(resumed) == rows(expected)
    (told,) = [each for each in resumed if isinstance(each, Resumed)]
    usable = [each for each in store.stored() if each.batches <= told.batches]
    assert told.checkpoint <= usable[0].batches
    assert all(".ckpt: is damaged" in each for each in told.refused)


def test_other_data_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "a.gdlog"
    work(log, stop=30)
    smaller = problem()
    inputs, target = smaller.train  # type: ignore[misc]
    other = Problem(
        train=(inputs[:40], target[:40]), model=smaller.model, loss=smaller.loss,
        validation=smaller.validation,
    )  # fmt: skip
    monkeypatch.setattr(registry, "load", lambda name, seed, data: other)
    before = losses(list(LogReader(log)))
    refused = work(log, is_resumed=True, number=2)
    assert losses(refused) == before
    assert refused[-2].state is State.FAILED  # type: ignore[union-attr]
    assert "50 samples, and the problem now has 40" in refused[-2].detail  # type: ignore[union-attr]
    restored = losses(work(tmp_path / "b.gdlog", stop=1))
    assert len(restored) >= 4
