"""A variant's files: its log, which loses nothing on a full disk, and its recorded weights."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from engine.log.filesystem.disk_errors import reason, remedy
from engine.log.filesystem.identity import FileGoneError
from engine.log.records import Changed, Chunk, End, Record, Started, State, StateChanged
from engine.log.records.chunk import joined
from engine.log.writing.writer import LogWriter
from engine.settings import LossAudit
from engine.worker.mailbox import Mailbox
from engine.worker.pace import CHUNK_SECONDS
from engine.worker.protocol import LogBlocked, LogUnblocked, RunClock

if TYPE_CHECKING:
    from engine.log.lineage.points import Reached
    from engine.measure.weights_log import TrailWriter
    from engine.training.trainer import Trainer


RETRY_SECONDS: Final = 0.25
"""Seconds between two attempts to write a log that is gone."""


class Recorder:
    """Writer that never raises; records that cannot be written wait, in order, until `unblock`."""

    def __init__(
        self, log: LogWriter, mailbox: Mailbox, clock: RunClock | None = None, worker: int = 1
    ) -> None:
        """`clock` is the clock of the run, or None for a new one; `worker` this worker's number."""
        self._log = log
        self._mailbox = mailbox
        self._clock = clock or RunClock.start()
        self._worker = worker
        self.heard = 0
        """The id of the last command received."""
        self._lock = threading.Lock()
        """Held while a record is written, and for ever once the log is being closed early."""
        self._state: StateChanged | None = None
        self._has_ended = False
        self.is_gone = False
        """True if the log is blocked since its file is not at its path, and should be retried."""
        self._told = ""
        """The reason why nothing can be written, as last reported to the session."""
        self._trail: TrailWriter | None = None
        self._held: list[Chunk] = []
        """Chunks of whole epochs, each of which `goes_on_with` the next, to be joined."""
        self._held_since = 0.0

    @property
    def path(self) -> Path:
        """The file of the log."""
        return self._log.path

    def check_place(self) -> None:
        """Raise FileGoneError, an OSError, unless the log is still at its path."""
        self._log.check_place()

    @property
    def is_blocked(self) -> bool:
        """True while records wait; training should pause."""
        return self._log.is_blocked

    def write_losses(self, chunk: Chunk, *, is_whole_epoch: bool) -> None:
        """Write the losses of a slice; consecutive short epochs are joined into one record.

        That record is written after CHUNK_SECONDS, before any other record, or by `flush`.
        """
        if not is_whole_epoch:
            self.write(chunk)
            return
        with self._lock:
            self._hold(chunk)

    def _hold(self, chunk: Chunk) -> None:
        if self._held and not self._held[-1].goes_on_with(chunk):
            self._flush()
        now = time.perf_counter()
        if not self._held:
            self._held_since = now - chunk.duration
        self._held.append(chunk)
        if now - self._held_since >= CHUNK_SECONDS:
            self._flush()

    def flush(self) -> None:
        """Write the losses that are waiting to be joined."""
        if self._held:
            with self._lock:
                self._flush()

    def _flush(self) -> None:
        if self._held:
            chunk, self._held = joined(self._held), []
            self._append(chunk)

    def write(self, record: Record) -> None:
        """Append a record with the current time, or keep it and report why that fails."""
        with self._lock:
            self._flush()
            self._append(record)

    def _append(self, record: Record) -> None:
        self._has_ended |= isinstance(record, End)
        if isinstance(record, StateChanged):
            record = replace(record, worker=self._worker, heard=self.heard)
            self._state = record
        was_blocked = self._log.is_blocked
        try:
            self._log.append(replace(record, wall_time=self._clock.now()))
        except OSError as error:
            self.is_gone = isinstance(error, FileGoneError)
            if not self._told:
                self._tell(error)
        else:
            if was_blocked:  # the waiting records have been written as well
                self._tell_unblocked()

    def close_early(self) -> None:
        """Close the log from a thread other than the loop's, which can write nothing afterwards.

        The log says that the variant was stopped at its last record.
        """
        self._lock.acquire()
        if self._has_ended:
            return
        self._flush()
        if self._state is not None and not self._state.state.is_ended:
            self._append(
                replace(self._state, state=State.STOPPED, detail="", traceback="", command=0)
            )
        self._append(End())
        with suppress(OSError):  # there is no session left to report this to
            self._log.close()

    def unblock(self, *, by_itself: bool = False) -> bool:
        """Retry the waiting records; return True if none are left.

        With `by_itself`, the retry was not requested, and only a new reason is reported.
        """
        with self._lock:
            if not self._log.is_blocked:
                return True
            try:
                self._log.retry()
            except OSError as error:
                self.is_gone = isinstance(error, FileGoneError)
                if not by_itself or reason(error, self._log.path) != self._told:
                    self._tell(error)
                return False
            self._tell_unblocked()
            return True

    # --- Of a trainer ---------------------------------------------------------------------------

    def write_start(
        self,
        trainer: Trainer,
        *,
        threads: int,
        epochs: int,
        pace: float | None,
        audit: LossAudit | None,
        command: int,
        device: str = "",
        device_note: str = "",
        reached: Reached | None = None,
    ) -> None:
        """Record that a generation begins, at the initial weights or at a point `reached`."""
        from engine.training.model import count_parameters, describe

        self.write(
            Started(
                generation=trainer.generation,
                settings=trainer.settings,
                n=trainer.n,
                model=describe(trainer.model),
                parameters=count_parameters(trainer.model),
                device=device or str(trainer.device),
                device_note=device_note,
                threads=threads,
                epochs=epochs,
                pace=pace,
                average=trainer.objective.average.described,
                audit=audit,
                micro_batch=trainer.most_at_once if reached is None else reached.micro_batch,
                command=command,
                origin=None if reached is None else reached.origin,
            )
        )

    def write_change(self, trainer: Trainer, note: str, command: int = 0) -> None:
        """Record the settings in force from the next batch on."""
        self.write(
            Changed(
                generation=trainer.generation,
                settings=trainer.settings,
                epoch=max(trainer.epoch, 1),
                batch=trainer.batches + 1,
                update=trainer.updates + 1,
                samples=trainer.samples,
                seconds=trainer.seconds,
                note=note,
                micro_batch=trainer.most_at_once,
                command=command,
            )
        )

    def begin_trail(self, trainer: Trainer) -> None:
        """Record the initial weights of a generation."""
        from engine.measure.weights_log import (
            TrailWriter,
            trail_path,
        )  # imports numpy, as training does

        self._trail = TrailWriter(trail_path(self._log.path), trainer.objective.size)
        with suppress(OSError):  # the log reports the error
            self._log.check_place()
            self._trail.begin()
        self.keep_weights(trainer)

    def keep_weights(self, trainer: Trainer, *, is_last: bool = False) -> None:
        """Append the weights to the trail periodically, and always the last ones."""
        trail = self._trail
        if trail is None or not trail.is_kept:
            return
        if not (is_last or trail.is_due(trainer.updates)):
            return
        with suppress(OSError):
            self._log.check_place()  # another directory may have replaced the run
            trail.add(
                trainer.generation,
                trainer.updates,
                trainer.samples,
                trainer.seconds,
                trainer.weights(),
            )

    def _tell(self, error: OSError) -> None:
        path = self._log.path
        self._told = reason(error, path)
        detail = f"cannot write {path}: {self._told}"
        note = LogBlocked(detail=detail, remedy=remedy(error, path), is_gone=self.is_gone)
        self._mailbox.send(note)

    def _tell_unblocked(self) -> None:
        self._told, self.is_gone = "", False
        self._mailbox.send(LogUnblocked())
