"""A worker with a compiled step: its log beside the eager step's, and what is repeated of it."""

import threading
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from compiling import AnsweringMailbox, use_eager_blocks
from eager_block import EagerBlock
from msgspec.structs import replace
from scripted_worker import SETTINGS, rows, work
from torch import nn

from engine.checkpoint.store import CheckpointStore
from engine.log.commands import Change, Restart, Rewind
from engine.log.records import AnyRecord, Changed, Chunk, Execution, Resumed, Started, State
from engine.log.summary import Tally
from engine.problem import Problem
from engine.problems import registry
from engine.settings import Compilation, VariantSettings
from engine.training.trainer import Trainer
from engine.worker.compiling import demand, library
from engine.worker.protocol import BuildAnswer, BuildWanted

EPOCHS = 12
compiling = partial(work, epochs=EPOCHS, compile=Compilation.ON, make_mailbox=AnsweringMailbox)


def problem() -> Problem:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(50, 4, generator=generator)
    return Problem(
        train=(inputs, inputs.sum(1, keepdim=True)),
        model=lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)),
        loss=nn.MSELoss(),
    )


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda name, seed, data: problem())
    monkeypatch.setattr(demand, "FIRST_SECONDS", 0.0)


def executions(records: list[AnyRecord]) -> list[Execution]:
    return [each for each in records if isinstance(each, Execution)]


def compiled_batches(records: list[AnyRecord]) -> int:
    """Batches in chunks that begin with calls of the compiled step."""
    return sum(each.batches for each in records if isinstance(each, Chunk) and each.compiled)


def eager_rows(records: list[AnyRecord]) -> list[tuple[object, ...]]:
    """The rows of the same training by the eager step, changes at the same batches."""
    changes = [each for each in records if isinstance(each, Changed)]
    trainer = Trainer(problem(), SETTINGS, 0, torch.device("cpu"), epochs=EPOCHS)
    chunks: list[AnyRecord] = []
    while trainer.epoch < EPOCHS or not trainer.at_epoch_end:
        if changes and changes[0].batch == trainer.batches + 1:
            trainer.change(changes.pop(0).settings)
        until = changes[0].batch - 1 if changes else 10**6
        chunks.append(trainer.advance(until - trainer.batches))
    return rows(chunks)


def test_it_comes_in_after_the_first_losses_and_the_log_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_eager_blocks(monkeypatch, 2)
    records = compiling(tmp_path / "a.gdlog")
    [record] = executions(records)
    chunks = [each for each in records if isinstance(each, Chunk)]
    assert chunks[0].compiled == 0
    assert (record.compiled, record.build, record.reason) == (2, "a key", "")
    assert record.batch > chunks[0].batches
    assert compiled_batches(records) > 0
    assert any(each.compiled_end for each in chunks), "the short groups at the ends of epochs, too"
    assert rows(records) == eager_rows(records)


def test_one_that_is_there_at_once_waits_to_be_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_eager_blocks(monkeypatch, 2)
    monkeypatch.setattr(demand, "FIRST_SECONDS", 0.004)
    restart = Restart(id=1, settings=SETTINGS)
    first, again = executions(compiling(tmp_path / "a.gdlog", (300, restart), epochs=40))
    assert first.seconds >= 0.012
    assert first.eager_speed > 0
    assert again.eager_speed > 0, "known from the generation before"


def test_each_change_of_settings_is_at_one_group_boundary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_eager_blocks(monkeypatch, 2)
    steps = [{"lr": 0.02}, {"batch_size": 2}, {"clip": 0.5}, {"batch_size": 4, "clip": None}]
    commands, settings = [], SETTINGS
    for k, changed in enumerate(steps):
        settings = replace(settings, **changed)  # type: ignore[arg-type]
        commands.append((25 * (k + 1), Change(id=k + 1, settings=settings)))
    records = compiling(tmp_path / "a.gdlog", *commands)
    assert len([each for each in records if isinstance(each, Changed)]) == len(steps)
    assert rows(records) == eager_rows(records)
    kinds = [each.compiled > 0 for each in executions(records)]
    assert any(kinds)  # how often depends on when the commands arrive
    assert all(one != other for one, other in pairwise(kinds))
    assert {each.reason for each in executions(records)} <= {
        *("", "other settings need a compiled step of their own")
    }


def test_off_asks_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_eager_blocks(monkeypatch, 2)
    records = compiling(tmp_path / "a.gdlog", compile=Compilation.OFF)
    assert not executions(records)
    assert not compiled_batches(records)


def test_auto_leaves_a_short_training_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_eager_blocks(monkeypatch, 2)
    records = compiling(tmp_path / "a.gdlog", compile=Compilation.AUTO)
    assert not executions(records)


def test_one_line_says_why_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_eager_blocks(monkeypatch, 2)

    def refuse(note: BuildWanted) -> BuildAnswer:
        return BuildAnswer(spec=note.spec, reason="no C++ compiler was found")

    records = compiling(tmp_path / "a.gdlog", make_mailbox=partial(AnsweringMailbox, answer=refuse))
    assert [each.reason for each in executions(records)] == ["no C++ compiler was found"]
    assert rows(records) == eager_rows(records)


def test_without_a_file_the_thread_that_trains_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A capture is quick, and no other thread may use the training's tensors."""
    threads = []

    def load(answer: BuildAnswer, trainer: Trainer) -> EagerBlock:
        threads.append(threading.current_thread())
        return EagerBlock(trainer, 2)

    use_eager_blocks(monkeypatch, 2)
    monkeypatch.setattr(library, "load", load)
    mailbox = partial(AnsweringMailbox, answer=lambda note: BuildAnswer(spec=note.spec, key="k"))
    records = compiling(tmp_path / "a.gdlog", make_mailbox=mailbox)
    assert [(each.compiled, each.build) for each in executions(records)] == [(2, "k")]
    assert {*threads} == {threading.current_thread()}


def test_one_that_cannot_be_loaded_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(answer: BuildAnswer, trainer: Trainer) -> None:
        raise OSError("no such file")

    use_eager_blocks(monkeypatch, 2)
    monkeypatch.setattr(library, "load", fail)
    records = compiling(tmp_path / "a.gdlog")
    assert [each.reason for each in executions(records)] == [
        "the compiled step could not be loaded (OSError: no such file)"
    ]
    assert rows(records) == eager_rows(records)


def test_memory_that_runs_out_in_a_call_ends_its_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_eager_blocks(monkeypatch, 2)
    monkeypatch.setattr(library, "load", lambda _, trainer: EagerBlock(trainer, 2, fails_at=3))
    records = compiling(tmp_path / "a.gdlog")
    first, second = executions(records)
    assert (first.compiled, second.compiled) == (2, 0)
    assert second.reason == "memory ran out in a call of the compiled step"
    assert rows(records) == eager_rows(records)


# --- Repeated -----------------------------------------------------------------------------------


def without_checkpoints(log: Path) -> None:
    """Remove the checkpoints, so that everything is trained again."""
    for each in CheckpointStore(log).stored():
        each.path.unlink()


def resumed(records: list[AnyRecord]) -> Resumed:
    return next(each for each in records[::-1] if isinstance(each, Resumed))


@pytest.mark.parametrize("stop", [60, 100])
def test_a_resumed_training_repeats_the_calls(
    stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block rounds otherwise than the eager step: each batch must be computed as before."""
    use_eager_blocks(monkeypatch, 2, error=1e-4)
    log = tmp_path / "a.gdlog"
    before = compiling(log, (20, Change(id=1, settings=replace(SETTINGS, lr=0.02))), stop=stop)
    assert compiled_batches(before) > 0
    without_checkpoints(log)
    again = resumed(compiling(log, is_resumed=True, number=2))
    assert (again.checkpoint, again.differing, again.not_compiled) == (0, 0, "")


def test_a_rewind_into_a_call_can_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batches of the call before the point are eager then, now and whenever repeated."""
    use_eager_blocks(monkeypatch, 5, error=1e-4)
    log = tmp_path / "a.gdlog"
    before = compiling(log, stop=100)
    piece = next(each for each in before if isinstance(each, Chunk) and each.compiled)
    without_checkpoints(log)
    rewind = Rewind(id=5, settings=SETTINGS, batches=piece.batch + 3)
    records = compiling(log, (0, rewind), is_resumed=True, number=2, stop=60)
    assert [each.generation for each in records if isinstance(each, Started)] == [1, 2]
    assert resumed(records).differing == 0
    without_checkpoints(log)
    again = resumed(compiling(log, is_resumed=True, number=3))
    assert (again.generation, again.differing) == (2, 0)


def test_without_its_compiled_step_a_resumed_training_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_eager_blocks(monkeypatch, 2, error=1e-4)
    log = tmp_path / "a.gdlog"
    compiling(log, stop=100)
    without_checkpoints(log)

    def refuse(note: BuildWanted) -> BuildAnswer:
        return BuildAnswer(spec=note.spec, reason="no C++ compiler was found")

    mailbox = partial(AnsweringMailbox, answer=refuse)
    records = compiling(log, is_resumed=True, number=2, make_mailbox=mailbox)
    again = resumed(records)
    assert again.not_compiled == "no C++ compiler was found"
    assert again.differing > 0
    tally = Tally("a", VariantSettings())
    for record in records:
        tally.add(record)
    assert tally.state is State.STOPPED or tally.state is State.FINISHED
