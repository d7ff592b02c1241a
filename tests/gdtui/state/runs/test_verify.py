"""Files of a run one by one: whole, growing, cut off, missing, damaged; and the place of damage."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from forged import forge
from plain_chunks import plain_chunk
from torch import nn

from engine.checkpoint.checkpoint import capture
from engine.checkpoint.store import CheckpointStore, StoredCheckpoint
from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.records import End
from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.trainer import Trainer
from gdtui.state.runs.file_check import FileState
from gdtui.state.runs.verify import RunCheck, verify

MakeRun = Callable[..., RunDirectory]
SAMPLES = 10
"""Samples in the training set of made-up runs."""


def states(check: RunCheck) -> dict[str, FileState]:
    return {each.file: each.state for each in check.files}


def test_a_run_that_has_ended_is_whole(make_run: MakeRun) -> None:
    run = make_run()
    check = verify(run.path)
    assert check.is_whole
    assert not check.is_running
    names = ["run.json", "session.gdlog", "1-mini-batch.gdlog", "2-sgd.gdlog"]
    assert states(check) == dict.fromkeys(names, FileState.WHOLE)
    assert [each.records for each in check.files] == [None, 1, 8, 8]
    assert [each.bytes for each in check.files] == [
        (run.path / name).stat().st_size for name in names
    ]


def test_a_run_that_still_trains_is_whole_so_far(running_run: RunDirectory) -> None:
    log = running_run.variant_log("SGD")
    os.truncate(log, log.stat().st_size - 30)
    check = verify(running_run.path)
    assert check.is_running
    assert check.is_whole
    assert states(check)["2-sgd.gdlog"] is FileState.GROWING


@pytest.mark.parametrize("cut", [1, 30])
def test_a_log_that_was_cut_off_is_not_whole(make_run: MakeRun, cut: int) -> None:
    run = make_run()
    log = run.variant_log("SGD")
    os.truncate(log, log.stat().st_size - cut)
    check = verify(run.path)
    assert not check.is_whole
    assert states(check)["2-sgd.gdlog"] is FileState.ENDS_EARLY
    assert check.files[-1].damage is None


def test_bytes_after_the_end_are_not_whole(make_run: MakeRun) -> None:
    run = make_run()
    with run.variant_log("SGD").open("ab") as file:
        file.write(b"\1")
    assert states(verify(run.path))["2-sgd.gdlog"] is FileState.ENDS_EARLY


def test_the_place_of_damage(make_run: MakeRun) -> None:
    run = make_run()
    log = run.variant_log("Mini-batch")
    forge(log, [plain_chunk(1, 5)])
    whole = log.stat().st_size
    forge(log, [plain_chunk(1, 5), plain_chunk(60, 5), End()])
    check = verify(run.path)
    assert not check.is_whole
    found = check.files[2]
    assert (found.state, found.records, found.bytes) == (
        FileState.DAMAGED,
        1,
        log.stat().st_size,
    )
    assert found.damage is not None
    assert (found.damage.offset, found.damage.record) == (whole, 2)
    assert "batch 60 cannot follow batch 5" in found.damage.reason


def test_a_missing_log(make_run: MakeRun) -> None:
    run = make_run()
    run.variant_log("SGD").unlink()
    check = verify(run.path)
    assert not check.is_whole
    assert states(check)["2-sgd.gdlog"] is FileState.MISSING


@pytest.mark.parametrize("content", [None, b"{}"])
def test_logs_without_a_run_json_that_can_be_read(make_run: MakeRun, content: bytes | None) -> None:
    run = make_run()
    (run.path / "run.json").unlink()
    if content is not None:
        (run.path / "run.json").write_bytes(content)
    check = verify(run.path)
    assert not check.is_whole
    assert states(check) == {
        "run.json": FileState.MISSING if content is None else FileState.DAMAGED,
        "1-mini-batch.gdlog": FileState.WHOLE,
        "2-sgd.gdlog": FileState.WHOLE,
        "session.gdlog": FileState.WHOLE,
    }
    assert check.files[0].damage is not None


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["directory", "FIFO"])
def test_a_log_that_is_no_file(make_run: MakeRun, make: Callable[[Path], None]) -> None:
    run = make_run()
    run.session_log.unlink()
    make(run.session_log)
    found = verify(run.path).files[1]
    assert (found.state, found.bytes, found.records) == (FileState.DAMAGED, 0, 0)


def test_nothing_of_a_run(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(RunDirectoryError, match="holds no run"):
            verify(path)


def keep(run: RunDirectory, samples: int) -> StoredCheckpoint:
    """A checkpoint of a training on so many samples, as the first one of "SGD"."""
    inputs = torch.ones(samples, 1)
    problem = Problem(train=(inputs, inputs), model=lambda: nn.Linear(1, 1), loss=nn.MSELoss())
    training = Trainer(problem, VariantSettings(batch_size=4), 0, torch.device("cpu"), epochs=2)
    training.advance(1)
    return CheckpointStore(run.variant_log("SGD")).write(capture(training))


def test_checkpoints_are_checked_too(make_run: MakeRun) -> None:
    run = make_run()
    stored = keep(run, SAMPLES)
    (run.path / "checkpoints" / "left.draft").write_bytes(b"half")
    check = verify(run.path)
    assert check.is_whole
    *_, found, left = check.files
    assert (found.state, left.state) == (FileState.WHOLE, FileState.UNUSED)
    place = found.checkpoint
    assert place is not None
    assert (place.variant, place.generation, place.batch) == ("SGD", 1, 1)
    data = bytearray(stored.path.read_bytes())
    data[-9] ^= 1
    stored.path.write_bytes(data)
    check = verify(run.path)
    *_, found, left = check.files
    assert (check.is_whole, found.state) == (False, FileState.DAMAGED)
    assert found.damage is not None
    assert found.damage.reason == "is damaged"


def test_a_checkpoint_of_another_training_is_not_of_this_run(make_run: MakeRun) -> None:
    run = make_run()
    stored = keep(run, SAMPLES + 1)
    found = verify(run.path).files[-1]
    assert found.damage is not None
    assert "belongs to another training" in found.damage.reason
    keep(run, SAMPLES)
    stored.path.rename(stored.path.with_name(stored.path.name.replace(".1-", ".7-")))
    found = verify(run.path).files[-1]
    assert found.damage is not None
    assert "another checkpoint than its name says" in found.damage.reason
