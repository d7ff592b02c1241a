"""A loop trains on with the same weights whatever happens to its record, after one warning."""

import contextlib
import errno
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Dataset
from tracked_loops import EPOCHS, Loop, plain

from engine.log.commands import Pause
from engine.log.records import State
from engine.log.writing.writer import LogWriter
from engine.session.host.address import AddressError
from engine.session.host.client import HostLink, find_host
from engine.session.host.server import HostServer
from engine.tracking.api import track
from engine.tracking.record.chunking import ChunkBuilder
from engine.tracking.run import TrackedRun
from gdtui.api.run import open_run

ROOT = Path(__file__).parents[3]
Patch = pytest.MonkeyPatch


def failing(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


def disk_full(patch: Patch, _: Path) -> None:
    patch.setattr(os, "pwrite", failing(OSError(errno.ENOSPC, "No space left on device")))


def no_directory(patch: Patch, run: Path) -> None:
    run.write_text("a file is in its place")


def no_socket(patch: Patch, _: Path) -> None:
    make = "engine.session.host.resources.listener.make_socket_directory"
    patch.setattr(make, failing(AddressError("cannot create it: Permission denied")))


def broken_thread(patch: Patch, _: Path) -> None:
    patch.setattr("engine.tracking.record.background.complete", failing(RuntimeError("injected")))


def broken_socket(patch: Patch, _: Path) -> None:
    patch.setattr(HostServer, "serve", failing(RuntimeError("injected")))


def broken_builder(patch: Patch, _: Path) -> None:
    patch.setattr(ChunkBuilder, "add", failing(RuntimeError("injected")))


def removed(patch: Patch, run: Path) -> None:
    """The run's directory goes away with the first batch."""
    append = LogWriter.append

    def remove(log: LogWriter, record: Any) -> None:
        append(log, record)
        shutil.rmtree(run, ignore_errors=True)
        log.check_place()

    patch.setattr(LogWriter, "append", remove)


FAULTS = [
    disk_full,
    no_directory,
    no_socket,
    broken_thread,
    broken_socket,
    broken_builder,
    removed,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_training_goes_on_after_one_warning(
    fault: Callable[[Patch, Path], None],
    tmp_path: Path,
    monkeypatch: Patch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    expected, loop = plain(Loop()), Loop()
    with monkeypatch.context() as patch:
        fault(patch, tmp_path / "run")
        run = TrackedRun(
            loop.optimizer,
            loop.loader,
            accumulation=1,
            name="mine",
            run_dir=tmp_path / "run",
            version="0",
        )
        for batch in run.epochs(EPOCHS):
            run.step(loop.loss(batch))
        run.close()
    assert torch.equal(loop.weights, expected.weights)
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("gdtui: ")
    assert "raining goes on" in said.err


def test_a_disk_that_was_full_for_a_while_loses_nothing(
    tmp_path: Path, monkeypatch: Patch, capfd: pytest.CaptureFixture[str]
) -> None:
    loop = Loop()
    run = TrackedRun(
        loop.optimizer, loop.loader, accumulation=1, name="x", run_dir=tmp_path / "r", version="0"
    )
    with contextlib.ExitStack() as full:
        for count, batch in enumerate(run.epochs(EPOCHS)):
            if count == 3:
                disk_full(full.enter_context(monkeypatch.context()), tmp_path)
            run.step(loop.loss(batch))
    run.close()
    found = open_run(tmp_path / "r").variants["x"]
    assert len(found.latest.losses) == len(loop.losses)
    assert found.state is State.FINISHED


def test_a_viewer_that_is_killed_amid_a_command_holds_nothing_up(tmp_path: Path) -> None:
    expected, loop = plain(Loop()), Loop()
    run = TrackedRun(
        loop.optimizer, loop.loader, accumulation=1, name="x", run_dir=tmp_path / "r", version="0"
    )
    for count, batch in enumerate(run.epochs(EPOCHS)):
        if count == 2:
            link = HostLink(tmp_path / "r", find_host(tmp_path / "r"), "0")
            link.request({"x": Pause(id=0)}, is_hold=True)
            link.close()  # without waiting for the answer, and without a farewell
        run.step(loop.loss(batch))
    run.close()
    assert torch.equal(loop.weights, expected.weights)


# --- Processes ----------------------------------------------------------------------------------


SCRIPT = """
import signal, sys
import torch
sys.path.insert(0, {support!r})
from tracked_loops import Loop
import gdtui
handlers = [signal.getsignal(number) for number in (1, 2, 15)]
loop = Loop()
run = gdtui.track(loop.optimizer, loop.loader, name="mine", run_dir="run")
state = torch.get_rng_state()
batches = run.epochs(2)
assert torch.equal(state, torch.get_rng_state())
for batch in batches:
    run.step(loop.loss(batch))
    if len(loop.losses) == 3:
        break
assert handlers == [signal.getsignal(number) for number in (1, 2, 15)]
print("mine")
raise ValueError("my mistake")
"""


def test_a_script_that_fails_closes_its_run(tmp_path: Path) -> None:
    """And its signal handlers, random numbers, output and exit status are its own."""
    code = SCRIPT.format(support=str(ROOT / "tests" / "support"))
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "mine\n")
    assert result.stderr.splitlines()[-1] == "ValueError: my mistake"
    assert "gdtui:" not in result.stderr
    found = open_run(tmp_path / "run").variants["mine"]
    assert (found.state, found.detail) == (State.FAILED, "ValueError: my mistake")
    assert (len(found.latest.losses), found.incomplete) == (3, "")


def train_and_terminate(path: Path) -> None:
    loop = Loop()
    run = track(loop.optimizer, loop.loader, name="mine", run_dir=path)
    for batch in run.epochs(1):
        run.step(loop.loss(batch))
        while not run.path or not open_run(path).variants["mine"].generations:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_ends_a_script_at_once(tmp_path: Path) -> None:
    child = multiprocessing.get_context("fork").Process(
        target=train_and_terminate, args=(tmp_path / "run",)
    )
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGTERM
    assert open_run(tmp_path / "run").variants["mine"].incomplete


def open_files() -> set[str]:
    """The open files of this process, sockets among them."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # that of the listing itself
            found.add(str(each.readlink()))
    return found


class OpenFiles(Dataset[list[str]]):
    """Yields the open files of the process that reads it."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> list[str]:
        return [*open_files(), str(threading.active_count())]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_loader_workers_inherit_no_file_socket_or_thread(tmp_path: Path) -> None:
    before, loop = open_files(), Loop()
    run = track(loop.optimizer, loop.loader, name="x", run_dir=tmp_path / "r")
    for batch in run.epochs(1):
        run.step(loop.loss(batch))
        if len(loop.losses) == 1:
            ours = {each for each in open_files() - before if "pipe" not in each}
            reader = DataLoader(
                OpenFiles(), num_workers=1, collate_fn=lambda each: each, batch_size=1,
                multiprocessing_context="fork",
            )  # fmt: skip
            ((*files, _),) = next(iter(reader))
            assert any(each.startswith("socket:") for each in ours)
            assert any(each.endswith("1-x.gdlog") for each in ours)
            named = {each for each in ours if not each.startswith("anon_inode")}
            assert not named & {*files}
    run.close()
    assert len(open_run(tmp_path / "r").variants["x"].latest.losses) == 7
