"""The end of a session: every healthy worker closes its log, however long its step takes."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sessions import PATIENCE, Watched

from engine.log.directory import RunDirectory
from engine.log.file import LogReader
from engine.log.records import End, State, StateChanged
from engine.session import Session
from engine.settings import RunSettings, Variant, VariantSettings

NAME = "Mini-batch"
SLOW = """
import time
import torch
from engine import Problem

class Slow(torch.nn.Linear):
    steps = 0

    def forward(self, x):
        Slow.steps += self.training
        if self.training and Slow.steps > 300:
            open({mark!r}, "w").close()
            {step}
        return super().forward(x)

def problem():
    return Problem(
        train=(torch.zeros(64, 2), torch.zeros(64, 1)),
        model=lambda: Slow(2, 1),
        loss=torch.nn.functional.mse_loss,
    )
"""
Start = Callable[[str], Watched]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a session whose worker comes to a step that takes for ever: `start(code)`."""
    sessions: list[Session] = []

    def begin(step: str) -> Watched:
        mark, file = tmp_path / "mark", tmp_path / "slow.py"
        file.write_text(SLOW.format(mark=str(mark), step=step))
        variant = Variant(name=NAME, settings=VariantSettings(batch_size=16))
        settings = RunSettings(variants=(variant,), problem=str(file), epochs=10**6)
        sessions.append(Session(RunDirectory.create(tmp_path / "run", settings, "0")))
        sessions[-1].start()
        watched = Watched(sessions[-1])
        watched.until(mark.exists)
        return watched

    yield begin
    for session in sessions:
        session.close()


def check_closed(run: RunDirectory) -> None:
    reader = LogReader(run.variant_log(NAME))
    *_, state, end = reader
    assert isinstance(end, End)
    assert isinstance(state, StateChanged)
    assert state.state is State.STOPPED
    assert reader.is_complete


@pytest.mark.parametrize(
    "step", ["time.sleep(1000)", "while True: pass", "[x @ x.T for x in iter(lambda: x, None)]"]
)
def test_a_worker_in_the_middle_of_a_long_step_closes_its_log(start: Start, step: str) -> None:
    """It used to be killed after a second, and its log had no end."""
    watched = start(step)
    watched.look()
    logged = len(watched.losses(NAME))
    began = time.monotonic()
    watched.session.close()
    assert time.monotonic() - began < PATIENCE
    check_closed(watched.run)
    watched.look()
    assert len(watched.losses(NAME)) >= logged > 0


def test_a_stopped_worker_neither_blocks_commands_nor_the_end(start: Start) -> None:
    """Some hundred commands fill its pipe; the 3,000th is the one that counts."""
    watched = start("time.sleep(0.01)")
    pid = watched.session.pids[NAME]
    os.kill(pid, signal.SIGSTOP)
    for size in range(1, 3_001):
        watched.session.change({NAME: VariantSettings(batch_size=size % 64 + 1)})
    wanted = VariantSettings(batch_size=3)
    watched.session.restart({NAME: VariantSettings(batch_size=5)})
    watched.session.change({NAME: wanted})
    os.kill(pid, signal.SIGCONT)
    watched.until(lambda: watched.tallies[NAME].settings == wanted)
    assert watched.tallies[NAME].generation == 2, "the restart was not lost"
    watched.session.close()
    check_closed(watched.run)


def test_a_worker_that_stays_stopped_is_ended(start: Start) -> None:
    watched = start("time.sleep(0.01)")
    pid = watched.session.pids[NAME]
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    watched.session.close()
    assert time.monotonic() - began < PATIENCE
    assert not Path(f"/proc/{pid}/fd/0").exists()
    assert LogReader(watched.run.variant_log(NAME)).damage is None
