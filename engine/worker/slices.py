"""The steps of a training between two looks at its commands: a slice of batches, new settings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from engine.log.commands import Change
from engine.log.records import Chunk, Refused
from engine.settings import SettingsError
from engine.worker.pace import Pace
from engine.worker.recording.recorder import Recorder

if TYPE_CHECKING:
    from engine.training.trainer import Trainer

MOST_SECONDS: Final = 4.0
"""Seconds that a training which is to end may take to finish a group."""


def train_slice(trainer: Trainer, batches: int, pace: Pace, recorder: Recorder) -> Chunk | None:
    """Train this many batches; None if memory ran out and the trainer went back a step."""
    pace.begin_slice()
    try:
        chunk = trainer.advance(batches)
    except Exception as error:
        recorder.write_change(trainer, note=trainer.retreat(error))
        return None
    pace.end_slice(trainer, chunk)
    return replace(chunk, behind=pace.is_behind)


def finish_group(trainer: Trainer | None, pace: Pace, recorder: Recorder) -> None:
    """Train the rest of an open group, unless it takes long: a checkpoint lies between groups."""
    end = time.monotonic() + MOST_SECONDS
    while trainer is not None and trainer.in_group and trainer.last_loss_is_finite:
        if recorder.is_blocked or time.monotonic() > end:
            return
        batches = min(trainer.batches_for(1), pace.chunk_batches)
        if (chunk := train_slice(trainer, batches, pace, recorder)) is not None:
            recorder.write_losses(chunk, is_whole_epoch=False)


def apply_change(trainer: Trainer, change: Change, recorder: Recorder) -> None:
    """Apply new settings, or record why they are refused; called only between groups."""
    try:
        note = trainer.change(change.settings)
    except SettingsError as error:
        recorder.write(Refused(detail=str(error), command=change.id))
    else:
        recorder.write_change(trainer, note, change.id)
