"""Readings as records of a log."""

from pathlib import Path

import numpy as np
import pytest

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import (
    AnyRecord,
    Chunk,
    Evaluation,
    Scalars,
    Started,
    State,
    StateChanged,
    Validated,
)
from engine.log.summary import Tally
from engine.programs import PROGRAM
from engine.programs.journal import UNKNOWN_SETTINGS
from engine.programs.recording import ProgramRecording
from engine.settings import RunSettings, Variant


def recorded(path: Path, *portions: bytes, status: int = 0) -> tuple[list[AnyRecord], list[str]]:
    """The records of a program that prints these portions a second apart, and the remarks."""
    variant = Variant(name="train", settings=UNKNOWN_SETTINGS)
    settings = RunSettings(variants=(variant,), problem="train.py", epochs=1, device=PROGRAM)
    run = RunDirectory.create(path, settings, "0")
    now = iter(range(1000))
    recording = ProgramRecording(run, clock=lambda: float(next(now)))
    for portion in portions:
        recording.take(1, portion)
    recording.end(status, is_asked=False)
    follower = Follower(run)
    records = [record for _, record in follower.read()]
    assert not follower.damage
    assert not follower.unfinished()
    return records, recording.remarks


def test_losses_printed_every_few_steps_leave_gaps(tmp_path: Path) -> None:
    portions = [f"step {k} loss {k} lr {k / 10}\n".encode() for k in (10, 20, 30)]
    records, remarks = recorded(tmp_path / "run", *portions)
    chunks = [record for record in records if isinstance(record, Chunk)]
    assert [(each.batch, each.update, each.samples) for each in chunks] == [
        (1, 10, 9), (2, 20, 19), (3, 30, 29)
    ]  # fmt: skip
    assert [each.lrs for each in chunks] == [(1.0,), (2.0,), (3.0,)]
    assert [each.seconds + each.duration for each in chunks] == [0.0, 1.0, 2.0]
    (started,) = [record for record in records if isinstance(record, Started)]
    assert started.assumed == ("samples", "batch_size", "accumulation_steps", "epoch")
    assert remarks == ["read as: key: value · loss, lr · steps of 10"]


def test_losses_of_consecutive_steps_that_arrive_together_are_one_record(tmp_path: Path) -> None:
    lines = b"".join(b"step %d loss %d\n" % (k, 50 - k) for k in range(40))
    records, _ = recorded(tmp_path / "run", lines)
    (chunk,) = [record for record in records if isinstance(record, Chunk)]
    assert np.frombuffer(chunk.losses, "<f4").tolist() == list(range(50, 10, -1))
    assert (chunk.batch, chunk.update) == (1, 1)


def test_other_numbers_are_kept_with_their_batches(tmp_path: Path) -> None:
    lines = b"step 1 loss 3 acc 0.1\nstep 2 loss 2\nstep 3 loss 1 acc 0.3\n"
    records, _ = recorded(tmp_path / "run", lines)
    (scalars,) = [record for record in records if isinstance(record, Scalars)]
    assert np.frombuffer(scalars.batches, "<u8").tolist() == [1, 3]
    values = {name: np.frombuffer(each, "<f8").tolist() for name, each in scalars.values.items()}
    assert values == {"acc": [0.1, 0.3]}


def test_a_log_has_a_limited_number_of_names(tmp_path: Path) -> None:
    lines = b"".join(b"step %d loss 1 metric_%d=1\n" % (k, k) for k in range(1, 1500))
    records, _ = recorded(tmp_path / "run", lines)
    assert (
        len({name for each in records if isinstance(each, Scalars) for name in each.values}) < 600
    )


def test_evaluations_lie_after_the_steps_before_them(tmp_path: Path) -> None:
    lines = b"val_loss 5\nstep 1 loss 3\nval_loss: 4 val_acc: 0.5\nstep 2 loss 1\n"
    records, _ = recorded(tmp_path / "run", lines)
    held_out = [record for record in records if isinstance(record, Validated)]
    assert [(each.updates, each.batches, each.loss, each.metrics) for each in held_out] == [
        (0, 0, 5.0, {}), (1, 1, 4.0, {"val_acc": 0.5})
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "status", "ends"),
    [
        (b"Epoch %d/2 step %d/3 loss 1\n", 0, [(1, 3), (2, 6)]),
        (b"Epoch %d/2 step %d/3 loss 1\n", 7, [(1, 3)]),
        (b"stage %d step %d/3 loss 1\n", 0, []),
    ],
)
def test_epochs_that_are_printed_end(
    tmp_path: Path, line: bytes, status: int, ends: list[tuple[int, int]]
) -> None:
    lines = b"".join(line % (epoch, step) for epoch in (1, 2) for step in (1, 2, 3))
    records, _ = recorded(tmp_path / "run", lines, status=status)
    found = [record for record in records if isinstance(record, Evaluation)]
    assert [(each.epoch, each.batches) for each in found] == ends
    tally = Tally("train", UNKNOWN_SETTINGS)
    for record in records:
        tally.add(record)
    assert len(tally.epoch_losses) == len(ends)
    assert (tally.worker.exit_status, tally.last_loss) == (status, 1.0)


def test_the_end_of_an_epoch_has_what_was_evaluated_there(tmp_path: Path) -> None:
    steps = b"".join(b"Epoch %%d/2 step %d/3 loss 1\n" % k for k in (1, 2, 3))
    lines = steps % (1, 1, 1) + b"val_loss 5 val_acc 0.5\n" + steps % (2, 2, 2)
    records, _ = recorded(tmp_path / "run", lines)
    ends = [record for record in records if isinstance(record, Evaluation)]
    assert [(each.validation_loss, each.metrics) for each in ends] == [
        (5.0, {"val_acc": 0.5}), (None, {})
    ]  # fmt: skip


def test_every_number_that_can_be_printed_can_be_recorded(tmp_path: Path) -> None:
    lines = b"loss nan lr -1\nloss inf lr nan\nloss 1e400\nloss -1e39\n" * 2
    records, _ = recorded(tmp_path / "run", lines)
    losses = [np.frombuffer(each.losses, "<f4") for each in records if isinstance(each, Chunk)]
    assert sum(map(len, losses)) == 8


def test_states_of_programs(tmp_path: Path) -> None:
    ends = {0: State.FINISHED, 7: State.FAILED, -9: State.FAILED, -15: State.STOPPED}
    for status, expected in ends.items():
        records, remarks = recorded(tmp_path / str(status), b"hello\n", status=status)
        states = [record for record in records if isinstance(record, StateChanged)]
        assert states[-1].state is expected
        assert ("7" in states[-1].detail) is (status == 7)
        assert ("SIGKILL" in states[-1].detail) is (status == -9)
        assert states[-1].exit_status == status
        assert remarks[0].startswith("no loss was recognised")
