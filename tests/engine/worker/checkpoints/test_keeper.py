"""The moments at which checkpoints are taken, by a clock that the test moves."""

from pathlib import Path

import pytest
import torch
from torch import nn

from engine.checkpoint.store import CheckpointStore
from engine.problem import Problem
from engine.settings import RunSettings, Variant, VariantSettings
from engine.training.trainer import Trainer
from engine.worker.checkpoints.keeper import Keeper
from engine.worker.protocol import NoCheckpoint, Note, WorkerTask


class Bench:
    """A keeper with a trainer, and the clock that it goes by."""

    def __init__(self, path: Path, *, every: float = 60.0, disk: int = 1 << 30) -> None:
        self.log, self.now = path / "1-a.gdlog", 0.0
        self.notes: list[Note] = []
        variant = Variant(name="a", settings=VariantSettings(batch_size=5, accumulation_steps=2))
        run = RunSettings(variants=(variant,), checkpoint_every=every, checkpoint_disk=disk)
        task = WorkerTask(
            run=run, variant=variant, device="cpu", log=str(self.log), output="", threads=1,
            epochs=9, pace=None,
        )  # fmt: skip
        self.keeper = Keeper(task, self.notes.append, lambda: None, lambda: self.now)
        inputs = torch.randn(40, 3)
        problem = Problem(train=(inputs, inputs), model=lambda: nn.Linear(3, 3), loss=nn.MSELoss())
        self.trainer = Trainer(problem, variant.settings, 0, torch.device("cpu"), epochs=9)

    def kept(self) -> list[int]:
        self.keeper.wait()
        return [each.batches for each in CheckpointStore(self.log).stored()]


def test_one_is_taken_when_time_has_passed_and_no_group_is_open(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.trainer.advance(2)
    bench.keeper.look(bench.trainer)
    assert bench.kept() == []
    bench.now = 61.0
    bench.trainer.advance(1)
    assert bench.keeper.is_due(bench.trainer)
    bench.keeper.look(bench.trainer)
    assert bench.kept() == []
    bench.trainer.advance(1)
    bench.keeper.look(bench.trainer)
    assert bench.kept() == [4]
    assert not bench.keeper.is_due(bench.trainer)


def test_the_end_of_an_epoch_and_a_request_are_reasons(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.now = 5.0
    bench.trainer.advance(8)
    bench.keeper.look(bench.trainer)
    assert bench.kept() == [8]
    bench.trainer.advance(1)
    bench.keeper.ask()
    bench.keeper.look(bench.trainer)
    bench.trainer.advance(1)
    bench.keeper.look(bench.trainer)
    assert bench.kept() == [8, 10]


def test_what_they_cost_is_paid_by_the_time_that_passes(tmp_path: Path) -> None:
    bench = Bench(tmp_path, every=1.0)
    bench.keeper.keep(bench.trainer)
    bench.kept()
    bench.trainer.advance(2)
    bench.keeper.budget.charge(10.0)
    bench.now = 100.0
    assert not bench.keeper.is_due(bench.trainer)
    bench.now = 2_000.0
    assert bench.keeper.is_due(bench.trainer)


def test_none_are_kept_on_request(tmp_path: Path) -> None:
    bench = Bench(tmp_path, every=0.0)
    bench.keeper.keep(bench.trainer)
    bench.now = 1e6
    bench.keeper.look(bench.trainer)
    assert bench.kept() == []


def test_a_limit_below_one_checkpoint_keeps_the_newest_and_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, disk=10)
    for _ in range(3):
        bench.keeper.keep(bench.trainer)
        bench.keeper.wait()
        bench.trainer.advance(2)
    assert bench.kept() == [4]
    (note,) = bench.notes
    assert isinstance(note, NoCheckpoint)
    assert "the newest alone is kept" in note.detail


def test_a_disk_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    (tmp_path / "checkpoints").write_text("in the way")
    for _ in range(3):
        bench.keeper.keep(bench.trainer)
        bench.keeper.wait()
        bench.trainer.advance(2)
    assert len(bench.notes) == 1


def test_a_loss_that_is_not_finite_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path)
    monkeypatch.setattr(bench.trainer, "last_loss_is_finite", False)
    bench.keeper.keep(bench.trainer)
    assert bench.kept() == []
