"""Brings a trainer to the end of a log: from the last checkpoint, then by training again.

What was trained after the checkpoint is trained once more, with the changes that the log records at
the batches where they were made. It is compared with the log, and not recorded a second time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from engine.checkpoint.checkpoint import Checkpoint, restore
from engine.checkpoint.store import CheckpointStore
from engine.log.records import Changed, Resumed, Started
from engine.problem import ProblemError
from engine.settings import VariantSettings
from engine.training.state.modules import StateMismatchError
from engine.training.trainer import Trainer
from engine.worker.checkpoints.past import Losses, Past, losses_after

_SLICE_SECONDS: Final = 0.2
"""Target duration of a slice that is trained again."""
_SHOW_SECONDS: Final = 2.0
"""Seconds between two notes on the progress."""

MakeTrainer = Callable[[VariantSettings, int, int | None], Trainer]
"""Makes a trainer at the first weights, from settings, planned epochs and the micro-batch."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A trainer at the end of the log, and how it got there."""

    trainer: Trainer
    resumed: Resumed


def resume_trainer(
    past: Past, log: Path, make: MakeTrainer, show: Callable[[str], None]
) -> Repeated:
    """A trainer that continues the last generation of a log; `show` takes a note on the progress.

    Raises ProblemError if the problem is not the one that was trained.
    """
    started = past.started
    assert started is not None
    trainer, checkpoint, refused = _from_checkpoint(past, log, make)
    if trainer is None:
        trainer = make(started.settings, started.epochs, started.micro_batch)
        _check_problem(trainer, started)
    begin = trainer.batches
    differing = _repeat(trainer, past, losses_after(log, past.generation, begin), show)
    trainer.seconds = past.seconds
    return Repeated(
        trainer,
        Resumed(
            generation=past.generation,
            batches=past.batches,
            checkpoint=0 if checkpoint is None else checkpoint.batches,
            differing=differing,
            refused=refused,
        ),
    )


def _from_checkpoint(
    past: Past, log: Path, make: MakeTrainer
) -> tuple[Trainer | None, Checkpoint | None, tuple[str, ...]]:
    """A trainer at the last checkpoint that can be used, and why later ones cannot."""
    store, most = CheckpointStore(log), past.batches
    refused: list[str] = []
    while True:
        checkpoint, unusable = store.newest(past.generation, most)
        refused += map(str, unusable)
        if checkpoint is None:
            return None, None, tuple(refused)
        header = checkpoint.header
        trainer = make(header.settings, header.epochs, header.micro_batch)
        if past.started is not None:
            _check_problem(trainer, past.started)
        try:
            restore(trainer, checkpoint)
        except StateMismatchError as error:
            refused.append(f"the checkpoint at batch {checkpoint.batches:,}: {error}")
            most = checkpoint.batches - 1
        else:
            return trainer, checkpoint, tuple(refused)


def _check_problem(trainer: Trainer, started: Started) -> None:
    if trainer.n != started.n:
        raise ProblemError(
            f"this run was trained on {started.n:,} samples, and the problem now has "
            f"{trainer.n:,}; it can only go on with the same data"
        )


def _repeat(trainer: Trainer, past: Past, before: Losses, show: Callable[[str], None]) -> int:
    """Train again up to the last loss of the log; the number of losses that differ."""
    begin, differing, size, due = trainer.batches, 0, 1, 0.0
    turns = list(past.turns_from(begin))
    while True:
        while turns and turns[0][0] <= trainer.batches:
            _, turn = turns.pop(0)
            if isinstance(turn, Changed):
                trainer.repeat_change(turn.settings, turn.micro_batch)
            else:
                trainer.plan(turn.epochs)
        left = min(past.batches, turns[0][0] if turns else past.batches) - trainer.batches
        if left <= 0:
            return differing
        done = trainer.batches
        start = time.perf_counter()
        if start >= due:
            show(f"training batches {done + 1:,} to {past.batches:,} again")
            due = start + _SHOW_SECONDS
        chunk = trainer.advance(min(left, size))
        again = np.frombuffer(chunk.losses, "<f4")
        logged = before[done - begin : done - begin + len(again)]
        differing += int((again.view("<u4") != logged.view("<u4")).sum())
        if not trainer.last_loss_is_finite and trainer.batches < past.batches:
            raise ProblemError(
                f"batch {trainer.batches:,}, trained again, has a loss that is not finite, unlike "
                "before: the problem's code or data have changed"
            )
        took = max(time.perf_counter() - start, 1e-6)
        size = max(1, min(int(size * _SLICE_SECONDS / took), 4 * size))
