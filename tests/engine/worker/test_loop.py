"""Training without a process: the log when the problem, the device or arithmetic breaks."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from sessions import check_contiguous
from torch import Tensor, nn

from engine.log.commands import AnyCommand, Change, Extend, Pause, Restart, Resume, Stop
from engine.log.file import LogReader
from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    End,
    Evaluation,
    Measured,
    Refused,
    Started,
    State,
    StateChanged,
    Validated,
)
from engine.log.summary import Tally
from engine.log.writing.writer import LogWriter
from engine.measure.weights_log import Trail
from engine.problem import Problem
from engine.problems import registry
from engine.settings import (
    FULL,
    LrSchedule,
    Precision,
    RunSettings,
    Variant,
    VariantSettings,
)
from engine.worker import evaluation
from engine.worker.loop import Training
from engine.worker.protocol import Note, WorkerTask
from engine.worker.recording.recorder import Recorder

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


def until_finished() -> tuple[Callable[[list[AnyRecord]], bool], AnyCommand]:
    """A step that waits for the end."""
    return state_is(State.FINISHED), Change(id=9, settings=VariantSettings())


def run(
    path: Path,
    problem: Problem,
    settings: VariantSettings,
    monkeypatch: pytest.MonkeyPatch,
    *steps: tuple[Callable[[list[AnyRecord]], object], AnyCommand],
    **how: object,
) -> list[AnyRecord]:
    """Run a worker in this process through the steps, then stop it; its log."""
    monkeypatch.setattr(registry, "load", lambda name, seed, data: problem)
    variant = Variant(name="a", settings=settings)
    log = path / "a.gdlog"
    task = WorkerTask(
        run=RunSettings(variants=(variant,), device="cpu", epochs=2, **how),  # type: ignore[arg-type]
        variant=variant,
        device="cpu",
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


def failing_above(size: int, error: BaseException) -> Loss:
    """A loss that raises on training batches above `size` samples, never when measured."""

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


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError("at last"), SystemExit("at last"), KeyboardInterrupt("at last")],
    ids=repr,
)
def test_an_exception_in_training_is_kept_and_a_restart_goes_on(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = problem_with(failing_above(10, error))
    records = run(
        tmp_path,
        problem,
        VariantSettings(batch_size=16),
        monkeypatch,
        (state_is(State.FAILED), Restart(id=1, settings=VariantSettings(batch_size=10))),
        (state_is(State.FINISHED), Change(id=2, settings=VariantSettings())),
    )
    failed = next(r for r in records if isinstance(r, StateChanged) and r.state is State.FAILED)
    assert failed.detail == f"{type(error).__name__}: at last"
    assert "raise error" in failed.traceback
    assert not failed.is_usage_error
    assert [r.generation for r in records if isinstance(r, Started)] == [1, 2]


def test_a_restart_while_paused_stays_paused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = VariantSettings(batch_size=16)

    def is_again_paused(records: list[AnyRecord]) -> bool:
        return (
            state_is(State.PAUSED)(records)
            and len([r for r in records if isinstance(r, Started)]) == 2
        )

    steps = (
        (state_is(State.RUNNING), Pause(id=1)),
        (state_is(State.PAUSED), Restart(id=2, settings=settings)),
        (is_again_paused, Resume(id=3)),
        until_finished(),
    )
    records = run(tmp_path, problem_with(mse), settings, monkeypatch, *steps)
    (resumed,) = [r for r in records if isinstance(r, StateChanged) and r.command == 3]
    assert next(r.batch for r in records[records.index(resumed) :] if isinstance(r, Chunk)) == 1
    assert not [
        r for r in records[: records.index(resumed)] if isinstance(r, Chunk) and r.generation == 2
    ]


def test_more_epochs_while_paused_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One had finished as the others were paused."""
    steps = (
        (state_is(State.FINISHED), Pause(id=1)),
        (state_is(State.FINISHED), Extend(id=2, epochs=3)),
        (state_is(State.PAUSED), Resume(id=3)),
        until_finished(),
    )
    records = run(tmp_path, problem_with(mse), VariantSettings(), monkeypatch, *steps)
    assert [r.epoch for r in records if isinstance(r, Evaluation)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 byte"),
        MemoryError(),
    ],
)
def test_out_of_memory_halves_the_batch_and_keeps_the_effective_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """40 samples, memory for 10: full in 4 pieces, and so it trains to the end."""
    problem = problem_with(failing_above(10, error))
    records = run(
        tmp_path, problem, VariantSettings(batch_size=FULL), monkeypatch, until_finished()
    )
    changed = [r for r in records if isinstance(r, Changed)]
    assert [r.settings.accumulation_steps for r in changed[:-1]] == [2, 4]
    assert changed[0].note == (
        "out of memory with 40 samples at once: now batches of 20, the effective batch stays 40"
    )
    chunks = [r for r in records if isinstance(r, Chunk)]
    assert {(r.batch_size, r.accumulation_steps) for r in chunks} == {(10, 4)}
    assert chunks[-1].last_update == 2


def test_out_of_memory_goes_back_to_the_batch_that_worked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def some_done(records: list[AnyRecord]) -> bool:
        return any(isinstance(r, Chunk) for r in records)

    monkeypatch.setattr("engine.worker.pace.CHUNK_SECONDS", 0.0)  # one batch a chunk
    problem = problem_with(failing_above(10, torch.OutOfMemoryError("CUDA out of memory")))
    larger = Change(id=1, settings=VariantSettings(batch_size=32, accumulation_steps=1, lr=0.02))
    settings = VariantSettings(batch_size=5, accumulation_steps=2)
    records = run(tmp_path, problem, settings, monkeypatch, (some_done, larger), until_finished())
    there, back = [r for r in records if isinstance(r, Changed)][:2]
    assert (there.settings.batch_size, there.command) == (32, 1)
    assert back.settings == VariantSettings(batch_size=5, accumulation_steps=2, lr=0.02)
    assert "back to a batch of 5, which worked" in back.note
    assert max(r.batch_size for r in records if isinstance(r, Chunk)) == 5


def test_out_of_memory_at_one_sample_is_a_state_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = problem_with(failing_above(0, MemoryError()))
    records = run(
        tmp_path,
        problem,
        VariantSettings(batch_size=4),
        monkeypatch,
        (state_is(State.OUT_OF_MEMORY), Change(id=1, settings=VariantSettings())),
    )
    states = [r.state for r in records if isinstance(r, StateChanged)]
    assert states[-1] is State.OUT_OF_MEMORY


def test_memory_that_runs_out_within_a_group_costs_no_update_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group's third batch fails once: its gradient is dropped, batches stay contiguous."""
    calls: list[int] = []

    def loss(output: Tensor, target: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            calls.append(len(target))
            if len(calls) == 3:
                raise torch.OutOfMemoryError("CUDA out of memory")
        return mse(output, target)

    settings = VariantSettings(batch_size=4, accumulation_steps=4)
    records = run(tmp_path, problem_with(loss), settings, monkeypatch, until_finished())
    chunks = [r for r in records if isinstance(r, Chunk)]
    number = 1
    for chunk in chunks:
        assert chunk.batch == number
        number += chunk.batches
    assert chunks[-1].end_samples == 80
    assert [r.state for r in records if isinstance(r, StateChanged)][-1] is State.FINISHED


def test_validation_is_recorded_at_each_epochs_end_and_as_often_as_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = problem_with(mse)
    assert isinstance(base.train, tuple)
    inputs, target = base.train
    problem = Problem(
        train=base.train,
        validation=(inputs[:7], target[:7]),
        model=base.model,
        loss=mse,
        metrics={"error": lambda output, target: (output.squeeze(-1) - target).abs().mean()},
    )
    records = run(
        tmp_path,
        problem,
        VariantSettings(batch_size=4, accumulation_steps=2),
        monkeypatch,
        until_finished(),
        validate_every=2,
    )
    ends = [r for r in records if isinstance(r, Evaluation)]
    assert [(r.epoch, r.updates) for r in ends] == [(0, 0), (1, 5), (2, 10)]
    assert all(r.validation_loss is not None and r.metrics["error"] > 0 for r in ends)
    between = [r for r in records if isinstance(r, Validated)]
    assert [(r.epoch, r.updates, r.samples) for r in between] == [
        (1, 2, 16), (1, 4, 32), (2, 6, 48), (2, 8, 64),
    ]  # fmt: skip
    assert ends[0].validation_loss > between[0].loss > between[-1].loss > 0  # type: ignore[operator]
    assert all(set(r.metrics) == {"error"} for r in between)


@pytest.mark.parametrize(("at_once", "left_out"), [(0.0, [1, 3]), (1e-9, [1, 3]), (60.0, [])])
def test_the_loss_on_all_data_is_left_out_where_it_would_cost_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: float, left_out: list[int]
) -> None:
    """The first and the last are always there, unpaid.

    Held-out data is measured at every epoch's end.
    """
    monkeypatch.setattr(evaluation, "FULL_LOSS_AT_ONCE", at_once)
    monkeypatch.setattr(evaluation, "FULL_LOSS_SHARE", 0.0)
    base = problem_with(mse)
    problem = Problem(train=base.train, validation=base.train, model=base.model, loss=mse)
    two_more = (state_is(State.FINISHED), Extend(id=1, epochs=4))
    fourth = (
        lambda records: any(isinstance(r, Evaluation) and r.epoch == 4 for r in records),
        Stop(id=2),
    )
    records = run(tmp_path, problem, VariantSettings(batch_size=8), monkeypatch, two_more, fourth)
    ends = [r for r in records if isinstance(r, Evaluation)]
    assert [r.epoch for r in ends if r.full_loss is None] == left_out
    assert [r.epoch for r in ends if r.validation_loss is not None] == [0, 1, 2, 3, 4]
    assert ends[4].full_loss == pytest.approx(ends[4].validation_loss)


def test_weights_that_are_not_finite_end_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_the_last_weights_are_kept_and_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_the_end(records: list[AnyRecord]) -> list[Measured]:
        return [r for r in records if isinstance(r, Measured) and r.updates == 20]

    both = (lambda records: len(at_the_end(records)) == 2, Stop(id=1))
    records = run(tmp_path, problem_with(mse), VariantSettings(batch_size=4), monkeypatch, both)
    assert {bool(r.noise) for r in at_the_end(records)} == {True, False}, "noise and sharpness"
    assert Trail(tmp_path / "a.weights").read()["updates"][[0, -1]].tolist() == [0, 20]


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

    monkeypatch.setattr("engine.worker.pace.CHUNK_SECONDS", 0.0)  # one batch a chunk
    change = Change(id=1, settings=VariantSettings(batch_size=16, drop_last=True))
    records = run(
        tmp_path,
        problem_with(loss),
        VariantSettings(batch_size=10),
        monkeypatch,
        (three_batches_done, change),
        (
            state_is(State.FINISHED),
            Change(id=2, settings=VariantSettings(batch_size=99, drop_last=True)),
        ),
    )
    evaluations = [(r.epoch, r.samples) for r in records if isinstance(r, Evaluation)]
    assert evaluations == [(0, 0), (1, 30), (2, 62)]
    assert [r.command for r in records if isinstance(r, Refused)] == [2]


def test_thousands_of_short_epochs_share_records_and_keep_every_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full batch at free pace: its log grows by little more than the losses."""
    monkeypatch.setattr("engine.worker.recording.recorder.CHUNK_SECONDS", 1e9)
    monkeypatch.setattr("engine.worker.evaluation.AT_ONCE", 100)
    monkeypatch.setattr("engine.worker.evaluation.LEAST_SECONDS", 1e9)
    epochs = 1_000
    records = run(
        tmp_path,
        problem_with(nn.MSELoss()),
        VariantSettings(batch_size=FULL, lr=0.001),
        monkeypatch,
        (state_is(State.RUNNING), Extend(id=1, epochs=epochs)),
        until_finished(),
    )
    chunks = [each for each in records if isinstance(each, Chunk)]
    check_contiguous(chunks)
    assert sum(each.batches for each in chunks) == chunks[-1].last_epoch == epochs
    tally = Tally("a", VariantSettings())
    for each in records:
        tally.add(each)
    assert len(tally.epoch_losses) == tally.updates == epochs
    assert (tally.full_loss_epoch, tally.is_full_loss_old) == (epochs, False)
    evaluations = [each for each in records if isinstance(each, Evaluation)]
    assert len(evaluations) == 100 + 1  # the last of the training, too
    assert len(chunks) <= 100 + 10


def test_no_loss_waits_while_training_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses held for a joint record are written before a pause, and so is its epoch's end."""
    monkeypatch.setattr("engine.worker.recording.recorder.CHUNK_SECONDS", 1e9)
    monkeypatch.setattr("engine.worker.evaluation.AT_ONCE", 2)
    monkeypatch.setattr("engine.worker.evaluation.LEAST_SECONDS", 1e9)
    calls: list[int] = []

    def loss(output: Tensor, target: Tensor) -> Tensor:
        calls.append(1)
        return nn.functional.mse_loss(output.flatten(), target)

    records = run(
        tmp_path,
        problem_with(loss),
        VariantSettings(batch_size=FULL, lr=0.001),
        monkeypatch,
        (state_is(State.RUNNING), Extend(id=1, epochs=10**6)),
        (lambda _: len(calls) > 50, Pause(id=2)),
        (state_is(State.PAUSED), Resume(id=3)),
        (lambda _: len(calls) > 150, Pause(id=4)),
    )
    chunks = [each for each in records if isinstance(each, Chunk)]
    evaluations = [each for each in records if isinstance(each, Evaluation)]
    check_contiguous(chunks)
    ends = [each.last_epoch for each in chunks if each.epochs > 1]
    assert len(ends) == 2
    assert [each.epoch for each in evaluations][-2:] == ends


def test_every_part_of_a_recipe_changes_at_one_group_boundary_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.worker.pace.CHUNK_SECONDS", 0.0)  # one batch a chunk
    plain = VariantSettings(batch_size=4, accumulation_steps=3)
    recipe = VariantSettings(
        batch_size=4,
        accumulation_steps=3,
        optimizer="adamw(weight_decay=0.1, betas=(0.9, 0.95))",
        schedule=LrSchedule.COSINE,
        warmup=0.1,
        clip=1e-6,
        precision=Precision.BF16,
        batch_warmup=10.0,
    )

    def batches(count: int) -> Callable[[list[AnyRecord]], bool]:
        return lambda records: sum(r.batches for r in records if isinstance(r, Chunk)) >= count

    records = run(
        tmp_path,
        problem_with(nn.MSELoss()),
        plain,
        monkeypatch,
        (batches(2), Change(id=1, settings=recipe)),  # two of three are done
        (state_is(State.FINISHED), Restart(id=2, settings=recipe)),
        (lambda records: any(isinstance(r, Started) and r.generation == 2 for r in records)
         and state_is(State.FINISHED)(records), Stop(id=3)),
    )  # fmt: skip
    (changed,) = (record for record in records if isinstance(record, Changed))
    assert (changed.settings, changed.command) == (recipe, 1)
    chunks = [record for record in records if isinstance(record, Chunk)]
    first = [chunk for chunk in chunks if chunk.generation == 1]
    before = [chunk for chunk in first if chunk.batch < changed.batch]
    after = [chunk for chunk in first if chunk.batch >= changed.batch]
    assert {chunk.lr for chunk in before} == {plain.lr}
    assert sum(chunk.clipped for chunk in before) == 0
    assert (after[0].in_update, after[0].update) == (0, before[-1].last_update + 1)
    assert plain.lr not in {chunk.lr for chunk in after}
    assert sum(chunk.clipped for chunk in after) == after[-1].last_update - changed.update + 1
    second = [chunk for chunk in chunks if chunk.generation == 2]
    assert (second[0].batch_size, second[0].lrs[0]) == (1, 0.0)  # the warm-ups begin anew
    assert second[-1].batch_size == 4
