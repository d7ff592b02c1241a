"""A run whose updates are compiled by the real compiler: swapped in, then repeated in every way."""

import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final, TypeVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    Execution,
    Resumed,
    State,
    StateChanged,
)
from engine.problems import registry
from engine.settings import VariantSettings
from engine.training.compiled.compiler import require_compiler
from engine.training.compiled.spec import UnsuitedError
from engine.training.trainer import Trainer

Kind = TypeVar("Kind", bound=AnyRecord)
Cli = Callable[..., "CompletedProcess[str]"]
FIRST, FORK = "Mini-batch", "Mini-batch 2"
SIZE: Final = 1000
"""Samples of a batch: two updates are an epoch, and a call of the compiled step."""
EPOCHS: Final = 3000
OPTIMIZER: Final = "sgd(weight_decay=0.1)"
"""Has an L2 term, which torch's compiler gets wrong where it is not told otherwise."""
PATIENCE: Final = 400.0
"""Seconds for a build: it takes about 20 of a core that nobody else needs."""


@pytest.fixture(autouse=True)
def compiler() -> None:
    try:
        require_compiler()
    except UnsuitedError as reason:
        pytest.skip(str(reason))


@pytest.mark.timeout(2 * PATIENCE)
def test_a_compiled_run_is_rewound_forked_and_resumed_as_it_was_trained(
    tmp_path: Path, cli: Cli, cli_in_process: Cli, cli_env: dict[str, str]
) -> None:
    cli_env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    run = tmp_path / "run"
    options = ("--batch-sizes", SIZE, "--epochs", EPOCHS, "--measuring", "off", "--pace", "free")
    options += ("--optimizer", OPTIMIZER)
    done = cli("train", "--detach", "--run-dir", run, "--compile", "on", *options)
    assert done.returncode == 0, done.stderr

    logs = GrowingLogs(run)
    logs.until(lambda: sum(each.duration for each in logs.of(FIRST, Chunk)) > 0.4)
    send(cli_in_process, run, "pace 2")  # so that there is little to repeat
    logs.until(lambda: logs.of(FIRST, Execution))
    send(cli_in_process, run, "lr 0.02", "pace 200")
    logs.until(lambda: logs.of(FIRST, Changed))
    [swap], [change] = logs.of(FIRST, Execution), logs.of(FIRST, Changed)
    assert (swap.compiled, swap.reason) == (2, "")
    assert change.batch > swap.batch
    middle = change.batch + 301  # within a call

    logs.until(lambda: len(logs.losses(FIRST, 1)) > middle + 300)
    send(cli_in_process, run, f"rewind {middle}")
    logs.until(lambda: len(logs.losses(FIRST, 2)) > 300)
    send(cli_in_process, run, f"fork {middle}", "pace free")
    logs.until(lambda: logs.have_finished({FIRST, FORK}))
    first, again, fork = (logs.losses(*each) for each in ((FIRST, 1), (FIRST, 2), (FORK, 1)))
    assert np.allclose(*beside_eager(first[: middle + 300], change), rtol=1e-5)
    shared = min(len(first) - middle, len(again))
    assert np.allclose(again[:shared], first[middle:][:shared], rtol=1e-5)
    assert np.allclose(fork, again, rtol=1e-5)

    for each in (run / "checkpoints").iterdir():
        each.unlink()
    done = cli("resume", run, "--epochs", EPOCHS + 10, "--json")
    assert done.returncode == 0, done.stderr
    logs.look()
    for resumed in (*logs.of(FIRST, Resumed), *logs.of(FORK, Resumed)):
        assert (resumed.differing, resumed.not_compiled) == (0, ""), resumed
    assert logs.of(FIRST, Resumed)[-1].checkpoint == 0
    again, fork = logs.losses(FIRST, 2), logs.losses(FORK, 1)
    assert len(again) == len(fork) == 2 * (EPOCHS + 10) - middle
    assert np.allclose(fork, again, rtol=1e-5)


class GrowingLogs:
    """The records of a run so far."""

    def __init__(self, run: Path) -> None:
        self._follower = Follower(RunDirectory.open(run))
        self._records: list[tuple[str, AnyRecord]] = []

    def look(self) -> None:
        while more := list(self._follower.read()):
            self._records += more
        assert self._follower.damage == []

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until they are so."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self._records[-5:]
            time.sleep(0.5)
            self.look()

    def of(self, name: str, kind: type[Kind]) -> list[Kind]:
        """The records of a kind of one variant."""
        return [each for variant, each in self._records if variant == name and type(each) is kind]

    def losses(self, name: str, generation: int) -> NDArray[np.float32]:
        """All losses of a generation."""
        chunks = [each for each in self.of(name, Chunk) if each.generation == generation]
        return np.frombuffer(b"".join(each.losses for each in chunks), "<f4")

    def have_finished(self, names: set[str]) -> bool:
        states = {name: each for name, each in self._records if isinstance(each, StateChanged)}
        finished = {name for name, each in states.items() if each.state is State.FINISHED}
        return finished >= names


def send(cli_in_process: Cli, run: Path, *commands: str) -> None:
    done = cli_in_process("send", run, *commands)
    assert done.returncode == 0, done.stderr


def beside_eager(
    mine: NDArray[np.float32], change: Changed
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """These losses, and those of the eager step."""
    problem = registry.load("synthetic", 0)
    settings = VariantSettings(batch_size=SIZE, optimizer=OPTIMIZER)
    trainer = Trainer(problem, settings, 0, torch.device("cpu"), epochs=EPOCHS)
    theirs = b""
    for until, following in ((change.batch - 1, change.settings), (len(mine), change.settings)):
        while trainer.batches < until:
            theirs += trainer.advance(until - trainer.batches).losses
        trainer.change(following)
    return mine, np.frombuffer(theirs, "<f4")
