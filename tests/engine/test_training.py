"""Training without a process: what is logged when the problem, the device or its own arithmetic breaks."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from engine import problems
from engine.messages import (
    AnyCommand,
    AnyRecord,
    Change,
    Changed,
    Chunk,
    End,
    Evaluation,
    LogBlocked,
    LogUnblocked,
    Note,
    Refused,
    Restart,
    Started,
    State,
    StateChanged,
    Stop,
    WorkerTask,
)
from engine.problem import Problem
from engine.recorder import Recorder
from engine.runlog import LogReader, LogWriter
from engine.settings import FULL, RunSettings, Variant, VariantSettings
from engine.training import Training

Loss = Callable[[Tensor, Tensor], Tensor]


class Script:
    """A mailbox that hands out each command once the log says that it is time for it."""

    def __init__(
        self, log: Path, steps: list[tuple[Callable[[list[AnyRecord]], object], AnyCommand]]
    ) -> None:
        self._reader = LogReader(log)
        self._seen: list[AnyRecord] = []
        self._steps = steps
        self.notes: list[Note] = []

    def take(self, timeout: float | None) -> list[AnyCommand]:
        self._seen += self._reader
        if not self._steps:
            return [Stop(id=99)]
        is_time, command = self._steps[0]
        if is_time(self._seen):
            del self._steps[0]
            return [command]
        assert timeout is not None, f"the worker waits, and so does {command}: {self._seen}"
        return []

    def send(self, note: Note) -> None:
        self.notes.append(note)


def state_is(state: State) -> Callable[[list[AnyRecord]], bool]:
    """The last state in the log is this one."""

    def check(records: list[AnyRecord]) -> bool:
        states = [record.state for record in records if isinstance(record, StateChanged)]
        return bool(states) and states[-1] is state

    return check


def run(
    path: Path,
    problem: Problem,
    settings: VariantSettings,
    monkeypatch: pytest.MonkeyPatch,
    *steps: tuple[Callable[[list[AnyRecord]], object], AnyCommand],
) -> list[AnyRecord]:
    """Run a worker in this process through the steps, then stop it; its log."""
    monkeypatch.setattr(problems, "load", lambda name, seed: problem)
    variant = Variant(name="a", settings=settings)
    log = path / "a.gdlog"
    task = WorkerTask(
        run=RunSettings(variants=(variant,), device="cpu", epochs=2),
        variant=variant,
        log=str(log),
        output="",
        threads=1,
        epochs=2,
        pace=None,
    )
    with LogWriter(log) as writer:
        script = Script(log, list(steps))
        Training(task, script, Recorder(writer, script), 0).run()  # type: ignore[arg-type]
    return list(LogReader(log))


def problem_with(loss: Loss, n: int = 40) -> Problem:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(n, 3, generator=generator)
    return Problem(train=(inputs, inputs.sum(1)), model=lambda: nn.Linear(3, 1), loss=loss)


def mse(output: Tensor, target: Tensor) -> Tensor:
    return nn.functional.mse_loss(output.squeeze(-1), target)


def failing_above(size: int, error: Exception) -> Loss:
    """A loss that raises on training batches of more than `size` samples, but never when measured."""

    def loss(output: Tensor, target: Tensor) -> Tensor:
        if len(target) > size and torch.is_grad_enabled():
            raise error
        return mse(output, target)

    return loss


def test_from_start_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = VariantSettings(batch_size=16)
    stop = (state_is(State.FINISHED), Change(id=1, settings=VariantSettings(batch_size=8)))
    records = run(tmp_path, problem_with(mse), settings, monkeypatch, stop)
    kinds = [type(record) for record in records if not isinstance(record, Chunk)]
    begin = [StateChanged, Started, Evaluation, StateChanged, Evaluation, Evaluation, StateChanged]
    assert kinds == [*begin, Changed, End], "finished stays finished; a change is taken for later"
    (changed,) = [record for record in records if isinstance(record, Changed)]
    assert (changed.batch, changed.update, changed.samples) == (7, 7, 80)


def test_an_exception_in_training_is_kept_and_a_restart_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = problem_with(failing_above(10, ZeroDivisionError("at last")))
    records = run(
        tmp_path,
        problem,
        VariantSettings(batch_size=16),
        monkeypatch,
        (state_is(State.FAILED), Restart(id=1, settings=VariantSettings(batch_size=10))),
        (state_is(State.FINISHED), Change(id=2, settings=VariantSettings())),
    )
    failed = next(r for r in records if isinstance(r, StateChanged) and r.state is State.FAILED)
    assert failed.detail == "ZeroDivisionError: at last"
    assert "raise error" in failed.traceback
    assert not failed.is_wrong_call
    assert [r.generation for r in records if isinstance(r, Started)] == [1, 2]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 byte"),
        MemoryError(),
    ],
)
def test_out_of_memory_is_a_state_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    problem = problem_with(failing_above(10, error))
    settings = VariantSettings(batch_size=FULL)
    smaller = Restart(id=1, settings=VariantSettings(batch_size=4))
    records = run(
        tmp_path,
        problem,
        settings,
        monkeypatch,
        (state_is(State.OUT_OF_MEMORY), smaller),
        (state_is(State.FINISHED), Change(id=2, settings=VariantSettings())),
    )
    assert [r.generation for r in records if isinstance(r, Started)] == [1, 2]


def test_weights_that_are_not_finite_end_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss that looks well while a weight it does not show is lost."""

    class Sqrt(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, inputs: Tensor) -> Tensor:
            return inputs.sum(1, keepdim=True) * 0 + self.weight.sqrt()  # gradient at 0: infinite

    def plain(output: Tensor, target: Tensor) -> Tensor:
        return output.nan_to_num(0.5).mean()

    base = problem_with(plain)
    problem = Problem(train=base.train, model=Sqrt, loss=plain)
    records = run(
        tmp_path,
        problem,
        VariantSettings(batch_size=FULL),
        monkeypatch,
        (state_is(State.DIVERGED), Change(id=1, settings=VariantSettings())),
    )
    diverged = [r for r in records if isinstance(r, StateChanged) and r.state is State.DIVERGED]
    assert len(diverged) == 1


def test_other_settings_with_drop_last_can_end_the_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10 of 40 samples are left, and no batch of 16 fits: the epoch closes, measured once."""
    calls: list[int] = []

    def loss(output: Tensor, target: Tensor) -> Tensor:
        calls.append(len(target))
        return mse(output, target)

    def three_batches_done(records: list[AnyRecord]) -> bool:
        return sum(r.batches for r in records if isinstance(r, Chunk)) >= 3

    monkeypatch.setattr("engine.training.CHUNK_SECONDS", 0.0)  # one batch a chunk
    change = Change(id=1, settings=VariantSettings(batch_size=16, drop_last=True))
    records = run(
        tmp_path,
        problem_with(loss),
        VariantSettings(batch_size=10),
        monkeypatch,
        (three_batches_done, change),
        (state_is(State.FINISHED), Change(id=2, settings=VariantSettings(batch_size=99, drop_last=True))),
    )
    evaluations = [(r.epoch, r.samples) for r in records if isinstance(r, Evaluation)]
    assert evaluations == [(0, 0), (1, 30), (2, 62)]
    assert [r.command for r in records if isinstance(r, Refused)] == [2]


def test_a_write_that_succeeds_again_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with LogWriter(tmp_path / "a.gdlog") as log:
        script = Script(tmp_path / "a.gdlog", [])
        recorder = Recorder(log, script)  # type: ignore[arg-type]
        with monkeypatch.context() as disk:
            disk.setattr("engine.runlog.os.pwrite", full)
            recorder.write(End())
        recorder.write(End())
    assert [type(note) for note in script.notes] == [LogBlocked, LogUnblocked]
    assert len(list(LogReader(tmp_path / "a.gdlog"))) == 2
