"""Runs in hosts that no terminal owns, begun in several ways, and what their logs hold."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from real_app import CONSOLE_SCRIPT
from terminal import PATIENCE, Terminal

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import Chunk


def begin(folder: Path, *options: str) -> "subprocess.Popen[str]":
    """Start a detached run below the folder; its directory comes on stdout."""
    env = {**os.environ, "XDG_STATE_HOME": str(folder)}
    command = [*CONSOLE_SCRIPT, "train", "--detach", *options]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def directory(starting: "subprocess.Popen[str]") -> Path:
    """The directory of the run, once it trains."""
    path, _ = starting.communicate(timeout=PATIENCE)
    assert starting.returncode == 0
    return Path(path.strip())


def begin_in_app(folder: Path, stack: contextlib.ExitStack, *options: str) -> Path:
    """Start a run in the app, and kill that as soon as it trains; returns the run's directory.

    `stack` closes the window, and ends what is left of the run.
    """
    env = {**os.environ, "XDG_STATE_HOME": str(folder)}
    window = Terminal([*CONSOLE_SCRIPT, *options, "--linger", "0"], env=env)
    stack.callback(window.close)
    window.wait_for(lambda: any(folder.glob("gdtui/runs/*/*.host")))
    (run,) = folder.glob("gdtui/runs/*")
    window.wait_for(lambda: len(rows(run)) == 2)
    os.kill(window.pid, signal.SIGKILL)
    return run


def losses(run: Path, *, is_whole: bool = True) -> dict[str, bytes]:
    """All losses of each variant, in order; no log is damaged, and none ends early if whole."""
    found: dict[str, bytes] = {}
    follower = Follower(RunDirectory.open(run))
    while records := list(follower.read()):
        for name, record in records:
            if isinstance(record, Chunk):
                found[name] = found.get(name, b"") + record.losses
    assert follower.damage == []
    assert not (is_whole and follower.unfinished())
    return found


def rows(path: Path) -> dict[str, int]:
    """Batches by variant, each of which follows the one before it."""
    counts: dict[str, int] = {}
    follower = Follower(RunDirectory.open(path))
    while records := list(follower.read()):
        for name, record in records:
            if isinstance(record, Chunk):
                assert record.batch == counts.get(name, 0) + 1
                counts[name] = record.batch - 1 + record.batches
    assert follower.damage == []
    return counts
