"""One variant's files: its log, in which a full disk loses nothing, and its weights' trail."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
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
    from engine.measure.weights_log import TrailWriter
    from engine.training.trainer import Trainer


RETRY_SECONDS: Final = 0.25
"""Seconds between two attempts to write a log that is gone."""


class Recorder:
    """Writes and never raises: records that cannot be written wait, in order, until `unblock`."""

    def __init__(
        self, log: LogWriter, mailbox: Mailbox, clock: RunClock | None = None, worker: int = 1
    ) -> None:
        """`clock`: the run's; None: one of its own. `worker`: this process's number."""
        self._log = log
        self._mailbox = mailbox
        self._clock = clock or RunClock.start()
        self._worker = worker
        self.heard = 0
        """The id of the last command that was taken."""
        self._lock = threading.Lock()
        """Held while a record is written, and from the closing of the log on."""
        self._state: StateChanged | None = None
        self._has_ended = False
        self.is_gone = False
        """The log is blocked since its file is not at its path: it is worth trying now and then."""
        self._told = ""
        """The reason why nothing can be written, as the session knows it.

        It is told again when it was asked to try again.
        """
        self._trail: TrailWriter | None = None
        self._held: list[Chunk] = []
        """Whole epochs, each of which goes on with the next one, for one record of all."""
        self._held_since = 0.0

    @property
    def is_blocked(self) -> bool:
        """Records wait: nothing more should be trained."""
        return self._log.is_blocked

    def write_losses(self, chunk: Chunk, *, is_whole_epoch: bool) -> None:
        """Write the losses of a slice; those of short epochs that follow each other in one record.

        Such a record is written by the first slice that ends CHUNK_SECONDS after its first one,
        before any other record, and by `flush`.
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
        """Write the losses that are held for a record together."""
        if self._held:
            with self._lock:
                self._flush()

    def _flush(self) -> None:
        if self._held:
            chunk, self._held = joined(self._held), []
            self._append(chunk)

    def write(self, record: Record) -> None:
        """Append to the log with the time, or keep the record and say why it cannot be written."""
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
            if was_blocked:  # the waiting records were written, too
                self._tell_unblocked()

    def close_early(self) -> None:
        """Close the log from another thread than the loop's, which can write nothing from then on.

        The variant is stopped where its log says so far.
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
        with suppress(OSError):  # nobody is left who could be told
            self._log.close()

    def unblock(self, *, by_itself: bool = False) -> bool:
        """Try again; whether nothing waits any more.

        `by_itself`: nobody has asked for it, so only what is new is told.
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
    ) -> None:
        """Record that a generation begins."""
        from engine.training.model import count_parameters, describe

        self.write(
            Started(
                generation=trainer.generation,
                settings=trainer.settings,
                n=trainer.n,
                model=describe(trainer.model),
                parameters=count_parameters(trainer.model),
                device=str(trainer.device),
                threads=threads,
                epochs=epochs,
                pace=pace,
                average=trainer.objective.average.described,
                audit=audit,
                micro_batch=trainer.most_at_once,
                command=command,
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
        """Keep the first weights of another generation."""
        from engine.measure.weights_log import (
            TrailWriter,
            trail_path,
        )  # imports numpy, as training does

        self._trail = TrailWriter(trail_path(self._log.path), len(trainer.weights()))
        with suppress(OSError):  # the log reports what is wrong
            self._log.check_place()
            self._trail.begin()
        self.keep_weights(trainer)

    def keep_weights(self, trainer: Trainer, *, is_last: bool = False) -> None:
        """Append the weights to the trail now and then; the last ones of a generation always."""
        if self._trail is None or not (is_last or self._trail.is_due(trainer.updates)):
            return
        with suppress(OSError):
            self._log.check_place()  # a folder that has taken the run's place is not ours
            self._trail.add(
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
