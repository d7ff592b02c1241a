"""When each slice of training starts and how long it is, so that all variants advance together."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from engine.settings import Resolved

if TYPE_CHECKING:
    from engine.log.records import Chunk
    from engine.training.trainer import Trainer

CHUNK_SECONDS: Final = 0.03
"""Target training time of a chunk; limits the delay of losses on screen and of commands."""

LEEWAY: Final = 0.25
"""Seconds that a variant may lag and still catch up.

A variant that lags more counts as behind and need not make up for the rest.
"""

_ROUNDING: Final = 1e-9


class EpochPacer:
    """A pace of p epochs per second: an update may start once p × time ≥ the epochs already done.

    Both count from when the pace was set or training resumed. `now` is any clock in seconds.
    """

    def __init__(self, pace: float, now: float, epochs_done: float) -> None:
        self.pace = pace
        self.behind = False
        self._origin = now - epochs_done / pace
        """The time at which epoch 0 would have had to start."""

    def starts_at(self, epochs_done: float) -> float:
        """The time at which the update after `epochs_done` epochs may start."""
        return self._origin + epochs_done / self.pace

    def updates_due(self, now: float, epochs_done: float, epochs_per_update: float) -> int:
        """Number of updates that may start by `now`; 0 if it is too early for the next."""
        lag = self.pace * (now - self._origin) - epochs_done
        if lag < -_ROUNDING:
            return 0
        return math.floor(lag / epochs_per_update + _ROUNDING) + 1

    def note_progress(self, now: float, epochs_done: float) -> None:
        """Record the progress; a lag beyond LEEWAY means behind, and is cut to LEEWAY."""
        lag = now - self.starts_at(epochs_done)
        self.behind = lag > LEEWAY
        if self.behind:
            self._origin += lag - LEEWAY


def epochs_per_update(settings: Resolved, n: int) -> float:
    """The fraction of an epoch that one update covers."""
    return settings.effective_batch / n


class Pace:
    """The pace that a variant should keep, and the slices in which it trains.

    A slice is trained without interruption and recorded as one chunk. Epochs count from the
    position of the training at the first query after `set` or `restart`.
    """

    def __init__(self, value: float | None, clock: Callable[[], float] = time.perf_counter) -> None:
        """`value` is the number of epochs per second; None for as fast as the device can."""
        self.value = value
        self.chunk_batches = 1
        """Maximum number of batches in a slice."""
        self._clock = clock
        self._pacer: EpochPacer | None = None
        self._slice_start = 0.0

    def set(self, value: float | None) -> None:
        """Set another pace from now on."""
        self.value = value
        self.restart()

    def restart(self) -> None:
        """Count from now on, and forget any lag or lead."""
        self._pacer = None

    @property
    def is_behind(self) -> bool:
        """True if training cannot keep up."""
        return self._pacer is not None and self._pacer.behind

    def wait(self, trainer: Trainer) -> float:
        """Seconds until the next slice may start, provided that no update has begun."""
        pacer = self._pacer_at(trainer)
        if pacer is None:
            return 0.0
        due = max(pacer.starts_at(trainer.epochs_done), self._slice_start + CHUNK_SECONDS)
        return max(due - self._clock(), 0.0)

    def batches_due(self, trainer: Trainer) -> int:
        """Batches that may be trained now, at most one slice; a begun update always continues."""
        pacer = self._pacer_at(trainer)
        if pacer is None:
            block = trainer.block
            least = 0 if block is None else trainer.batches_for(block.updates)
            return max(self.chunk_batches, least)
        share = epochs_per_update(trainer.resolved, trainer.n)
        updates = pacer.updates_due(self._clock(), trainer.epochs_done, share)
        if trainer.in_group:
            updates = max(updates, 1)
        return min(trainer.batches_for(updates), self.chunk_batches)

    def begin_slice(self) -> None:
        """Record that a slice starts now."""
        self._slice_start = self._clock()

    def end_slice(self, trainer: Trainer, chunk: Chunk) -> None:
        """Record the progress of the slice, and adapt the size of the next one to its duration."""
        if self._pacer is not None:
            self._pacer.note_progress(self._slice_start + chunk.duration, trainer.epochs_done)
        fitting = int(chunk.batches * CHUNK_SECONDS / max(chunk.duration, 1e-6))
        self.chunk_batches = max(1, min(fitting, chunk.batches * 4))

    def _pacer_at(self, trainer: Trainer) -> EpochPacer | None:
        if self._pacer is None and self.value is not None:
            self._pacer = EpochPacer(self.value, self._clock(), trainer.epochs_done)
        return self._pacer
