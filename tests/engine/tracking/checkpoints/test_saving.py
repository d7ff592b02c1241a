"""A checkpoint that cannot be kept costs one warning; training goes on with the same weights."""

import errno
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from killed_loops import tracked
from tracked_loops import EPOCHS, Loop, plain

from engine.checkpoint import store
from engine.checkpoint.store import CheckpointStore
from engine.log.directory import RunDirectory
from engine.tracking.run import TrackedRun

Patch = pytest.MonkeyPatch


class Lock:
    """An object whose state is not plain data."""

    def state_dict(self) -> dict[str, Any]:
        return {"lock": threading.Lock()}


class Broken:
    def state_dict(self) -> dict[str, Any]:
        raise RuntimeError("injected")


def disk_full(patch: Patch, _: Path) -> dict[str, Any]:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    patch.setattr(store, "write_checkpoint", fail)
    return {}


def removed(_: Patch, path: Path) -> dict[str, Any]:
    shutil.rmtree(path)
    return {}


def no_plain_data(_: Patch, __: Path) -> dict[str, Any]:
    return {"lock": Lock()}


def no_state(_: Patch, __: Path) -> dict[str, Any]:
    return {"number": 3}


def broken_state(_: Patch, __: Path) -> dict[str, Any]:
    return {"broken": Broken()}


def broken_thread(patch: Patch, _: Path) -> dict[str, Any]:
    def fail(*_: object) -> None:
        raise MemoryError("injected")

    patch.setattr(CheckpointStore, "write", fail)
    return {}


FAULTS: dict[Callable[[Patch, Path], dict[str, Any]], str] = {
    disk_full: "No space left on device",
    removed: "",
    no_plain_data: "no checkpoint: others.lock.lock is a lock, which is not plain data",
    no_state: "no checkpoint: number is a int, which has no state_dict",
    broken_state: "RuntimeError: injected",
    broken_thread: "MemoryError: injected",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_checkpoint_that_fails_costs_one_warning(
    fault: Callable[[Patch, Path], dict[str, Any]],
    tmp_path: Path,
    monkeypatch: Patch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    expected, loop = plain(Loop()), Loop()
    run, objects = tracked(loop, tmp_path / "run"), {}
    for batch in run.epochs(EPOCHS):
        run.step(loop.loss(batch))
        if run.batches == 3:
            objects = fault(monkeypatch, tmp_path / "run")
        if run.batches in (4, 8, 11):
            run.checkpoint(loop.model, **objects)
    run.close()
    assert torch.equal(loop.weights, expected.weights)
    said = capfd.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith("gdtui: ")
    assert FAULTS[fault] in said.err
    assert "raining goes on" in said.err


@pytest.fixture
def loop_and_run(tmp_path: Path) -> Iterator[tuple[Loop, TrackedRun]]:
    loop = Loop()
    run = tracked(loop, tmp_path / "run", accumulation=4)
    yield loop, run
    run.close()


def stored(path: Path) -> list[int]:
    (log,) = RunDirectory.open(path).info.logs
    return [each.batches for each in CheckpointStore(path / log).stored()]


def test_checkpoints_are_taken_between_updates_alone(
    loop_and_run: tuple[Loop, TrackedRun], tmp_path: Path
) -> None:
    loop, run = loop_and_run
    run.checkpoint(loop.model)  # nothing is trained yet: it is taken as soon as that is possible
    for batch in run.epochs(EPOCHS):
        if run.batches == 8:  # before its batch is trained
            run.checkpoint(loop.model)
        run.step(loop.loss(batch))
    run.checkpoint(loop.model)
    run.close()
    assert stored(tmp_path / "run") == [4, 11, 21]


def test_every_limits_how_often_one_is_taken(
    loop_and_run: tuple[Loop, TrackedRun], tmp_path: Path
) -> None:
    loop, run = loop_and_run
    for batch in run.epochs(EPOCHS):
        run.step(loop.loss(batch))
        run.checkpoint(loop.model, every=3600)
    run.close()
    assert stored(tmp_path / "run") == []


def test_switched_off_it_keeps_and_restores_nothing(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("GDTUI", "off")
    loop = Loop()
    run = tracked(loop, tmp_path / "run")
    assert not run.resume(loop.model)
    for batch in run.epochs(1):
        run.step(loop.loss(batch))
        run.checkpoint(loop.model)
    run.close()
    assert run.batches == 7
    assert not [*tmp_path.iterdir()]


def test_a_loop_that_was_left_keeps_the_batch_that_it_has_not_trained(tmp_path: Path) -> None:
    expected, loop = plain(Loop()), Loop()
    run = tracked(loop, tmp_path / "run")
    for batch in run.epochs(EPOCHS):
        if run.batches == 4:
            break
        run.step(loop.loss(batch))
    run.checkpoint(loop.model)
    run.close()
    loop = Loop()
    run = tracked(loop, tmp_path / "run")
    assert run.resume(loop.model)
    for batch in run.epochs(EPOCHS):
        run.step(loop.loss(batch))
    run.close()
    assert torch.equal(loop.weights, expected.weights)
