"""SIGKILL of all workers at random moments, again and again: the rows are those of one training.

tests/trouble/resume_kills.py does it with whole programs, their hosts included, and more often.
"""

import contextlib
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from sessions import Watched

from engine.log.directory import RunDirectory
from engine.log.file import LogReader
from engine.log.records import Chunk, Resumed, State
from engine.session import Session
from engine.session.host.processes import descendants, wait_for_end
from engine.session.past import ResumedRun
from engine.settings import LrSchedule, RunSettings, Variant, VariantSettings

KILLS = 6
PATIENCE = 120.0
PROBLEM = """\
import random
import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset
from gdtui import Problem

class Noisy(Dataset):
    def __len__(self):
        return 64
    def __getitem__(self, k):
        x = torch.full((4,), k / 64) + 0.1 * torch.rand(4) + 0.1 * random.random()
        return x, torch.tensor([float(k % 3) + 0.1 * float(np.random.rand())])

def problem():
    model = lambda: nn.Sequential(
        nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 1)
    )
    held_out = torch.rand(20, 4), torch.rand(20, 1)
    return Problem(train=Noisy(), validation=held_out, model=model, loss=nn.MSELoss())
"""
RECIPES = {
    "sgd": VariantSettings(
        batch_size=8, momentum=0.9, schedule=LrSchedule.COSINE, warmup=0.2, lr=0.1
    ),
    "adamw": VariantSettings(
        batch_size=6,
        accumulation_steps=5,
        optimizer="adamw(weight_decay=0.1)",
        clip=1.0,
        lr=0.01,
    ),
}


def settings(folder: Path) -> RunSettings:
    problem = folder / "own.py"
    problem.write_text(PROBLEM)
    variants = (Variant(name=name, settings=each) for name, each in RECIPES.items())
    return RunSettings(
        variants=tuple(variants),
        problem=str(problem),
        epochs=6,
        threads=1,
        loader_workers=2,
        measuring=False,
        checkpoint_every=0.05,
    )


def rows(run: RunDirectory, name: str) -> list[tuple[object, ...]]:
    """Everything that an export says of each batch, but the time."""
    found: list[tuple[object, ...]] = []
    log = LogReader(run.variant_log(name))
    for chunk in (part for each in log if isinstance(each, Chunk) for part in each.by_epoch()):
        for k, loss in enumerate(np.frombuffer(chunk.losses, "<u4").tolist()):
            update = chunk.update + (chunk.in_update + k) // chunk.accumulation_steps
            lr = chunk.lrs[update - chunk.update] if len(chunk.lrs) > 1 else chunk.lrs[0]
            found.append((chunk.batch + k, update, chunk.epoch, lr, loss))
    return found


def kill_all(session: Session) -> None:
    """Kill the workers, and the processes that read the Dataset for them."""
    workers = session.pids.values()
    pids = set().union(*map(descendants, workers))
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert not wait_for_end(pids, PATIENCE)
    session.close()


@pytest.mark.slow
def test_rows_are_the_same_after_many_kills(tmp_path: Path) -> None:
    chosen, draw = settings(tmp_path), random.Random(5)
    whole = RunDirectory.create(tmp_path / "whole", chosen, "0")
    with Session(whole) as session:
        session.start()
        watched = Watched(session)
        watched.until(lambda: watched.states() == {State.FINISHED})
        total = sum(tally.batches for tally in watched.tallies.values())
    run = RunDirectory.create(tmp_path / "killed", chosen, "0")
    for kill in range(KILLS):
        with Session(run) as session:
            session.start()
            watched = Watched(session)
            aim = total * (kill + draw.random()) / (KILLS + 1)
            watched.until(
                lambda: sum(tally.batches for tally in watched.tallies.values()) >= aim  # noqa: B023
            )
            time.sleep(draw.uniform(0, 0.03))  # the moment within a chunk, or within a checkpoint
            kill_all(session)
        run = ResumedRun.take_up(run.path)
    with Session(run) as session:
        session.start()
        watched = Watched(session)
        watched.until(lambda: watched.states() == {State.FINISHED})
    for name in RECIPES:
        assert rows(run, name) == rows(whole, name)
        resumed = [each for each in LogReader(run.variant_log(name)) if isinstance(each, Resumed)]
        assert {(each.differing, each.refused) for each in resumed} == {(0, ())}
        assert any(each.checkpoint for each in resumed)
