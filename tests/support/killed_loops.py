"""Loops that train, keep checkpoints and are killed, for tests of going on with them."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn
from tracked_loops import EPOCHS, Loop

from engine.tracking.run import TrackedRun
from gdtui.api.run import open_run

_WAIT_SECONDS: Final = 60.0

Make = Callable[[], Loop]


def tracked(loop: Loop, path: Path, **options: Any) -> TrackedRun:
    """A run of this loop in `path`, as variant "mine"."""
    settings: dict[str, Any] = {"accumulation": 1, "name": "mine", "run_dir": path, **options}
    loader = settings.pop("loader", loop.loader)
    return TrackedRun(loop.optimizer, loader, version="0", **settings)


def train(
    loop: Loop,
    run: TrackedRun,
    *,
    keep_at: int = 0,
    kill_at: int = 0,
    objects: Mapping[str, Any] | None = None,
) -> None:
    """Train all epochs; keep a checkpoint after a batch, and die without warning after another."""
    objects = objects or {}
    for batch in run.epochs(EPOCHS):
        run.step(loop.loss(batch))
        for each in objects.values():
            each.step()
        if run.batches == keep_at:
            run.checkpoint(loop.model, **objects)
        if run.batches == kill_at:
            _wait_for_checkpoint(run.path)
            os.kill(os.getpid(), signal.SIGKILL)


def _wait_for_checkpoint(path: Path | None) -> None:
    assert path is not None
    deadline = time.monotonic() + _WAIT_SECONDS
    while not [*(path / "checkpoints").glob("*.ckpt")]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def killed(work: Callable[[], None]) -> None:
    """Do this in a process of its own, which must end by SIGKILL."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(2 * _WAIT_SECONDS)
    code = process.exitcode
    process.kill()
    assert code == -signal.SIGKILL


def rows(path: Path, name: str = "mine") -> dict[str, np.ndarray[Any, Any]]:
    """The columns of the last training of a variant, from the first weights on."""
    variant = open_run(path).variants[name]
    parts: list[Any] = []
    latest, until = variant.latest, None
    while True:
        batches = latest.batches
        count = len(batches.batch) if until is None else int((batches.batch <= until).sum())
        parts.insert(0, (batches, count))
        if latest.origin is None:
            break
        until = latest.origin.batches
        latest = variant.generations[latest.origin.generation]
    names = ("batch", "update", "epoch", "samples", "batch_size", "lr", "loss")
    return {
        each: np.concatenate([getattr(batches, each)[:count] for batches, count in parts])
        for each in names
    }


def assert_same_rows(path: Path, other: Path) -> None:
    """The trainings in both runs have the same rows, except for their times."""
    mine, others = rows(path), rows(other)
    for name in mine:
        assert np.array_equal(mine[name], others[name]), name


class Augmented(nn.Module):
    """A model whose dropout, batch statistics and counters belong to its state."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(3, 6), nn.BatchNorm1d(6), nn.Dropout(0.3), nn.Linear(6, 1)
        )
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        output: torch.Tensor = self.net(x)
        return output
