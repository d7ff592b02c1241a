"""Loops without torch that share a run directory, in this process and in another one."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.tracking.run import TrackedRun


class ScriptLoop:
    """A loop whose batches are numbers; one epoch has 4 batches of 2 samples."""

    def __init__(self, path: Path, name: str, epochs: int = 100) -> None:
        self.run = TrackedRun(None, [0] * 4, accumulation=1, name=name, run_dir=path, version="0")
        self._batches = self.run.epochs(epochs)
        self.has_ended = False

    def train(self, batches: int = 1) -> None:
        """Train on some batches; obeys what was ordered."""
        for _ in range(batches):
            if next(self._batches, None) is None:
                self.has_ended = True
                return
            self.run.log(loss=1.0, samples=2, lr=0.1)


def _train_until_ended(path: Path, name: str) -> None:
    loop = ScriptLoop(path, name, epochs=10**6)
    while not loop.has_ended:
        loop.train()
        time.sleep(0.005)
    loop.run.close()


@contextmanager
def loop_elsewhere(path: Path, name: str) -> Iterator[multiprocessing.process.BaseProcess]:
    """A process that trains until it is killed or ended; it has begun."""
    process = multiprocessing.get_context("fork").Process(
        target=_train_until_ended, args=(path, name)
    )
    before = {*path.glob("*.host")}
    process.start()
    try:
        while {*path.glob("*.host")} <= before:
            assert process.is_alive()
            time.sleep(0.005)
        yield process
    finally:
        process.kill()
        process.join()
