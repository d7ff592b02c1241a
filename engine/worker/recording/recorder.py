"""One variant's files: its log, in which a full disk loses nothing, and its weights' trail."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from engine.log.filesystem.disk_errors import reason, remedy
from engine.log.records import Changed, Chunk, Record, Started
from engine.log.records.chunk import joined
from engine.log.writing.writer import LogWriter
from engine.worker.mailbox import Mailbox
from engine.worker.pace import CHUNK_SECONDS
from engine.worker.protocol import LogBlocked, LogUnblocked

if TYPE_CHECKING:
    from engine.measure.weights_log import TrailWriter
    from engine.training.trainer import Trainer


class Recorder:
    """Writes and never raises: records that cannot be written wait, in order, until `unblock`."""

    def __init__(self, log: LogWriter, mailbox: Mailbox) -> None:
        self._log = log
        self._mailbox = mailbox
        self._is_told = False
        """The session knows that nothing can be written.

        Told again only when it was tried again.
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
        if self._held and not self._held[-1].goes_on_with(chunk):
            self.flush()
        now = time.perf_counter()
        if not self._held:
            self._held_since = now - chunk.duration
        self._held.append(chunk)
        if now - self._held_since >= CHUNK_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write the losses that are held for a record together."""
        if self._held:
            chunk, self._held = joined(self._held), []
            self._append(chunk)

    def write(self, record: Record) -> None:
        """Append to the log with the time, or keep the record and say why it cannot be written."""
        self.flush()
        self._append(record)

    def _append(self, record: Record) -> None:
        was_blocked = self._log.is_blocked
        try:
            self._log.append(msgspec.structs.replace(record, wall_time=time.time()))
        except OSError as error:
            if not self._is_told:
                self._tell(error)
        else:
            if was_blocked:  # the waiting records were written, too
                self._tell_unblocked()

    def unblock(self) -> bool:
        """Try again; whether nothing waits any more."""
        if not self._log.is_blocked:
            return True
        try:
            self._log.retry()
        except OSError as error:
            self._tell(error)
            return False
        self._tell_unblocked()
        return True

    # --- Of a trainer ---------------------------------------------------------------------------

    def write_start(
        self, trainer: Trainer, *, threads: int, epochs: int, pace: float | None, command: int
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
        with suppress(OSError):  # the log reports a full disk
            self._trail.begin()
        self.keep_weights(trainer)

    def keep_weights(self, trainer: Trainer, *, is_last: bool = False) -> None:
        """Append the weights to the trail now and then; the last ones of a generation always."""
        if self._trail is None or not (is_last or self._trail.is_due(trainer.updates)):
            return
        with suppress(OSError):
            self._trail.add(
                trainer.generation,
                trainer.updates,
                trainer.samples,
                trainer.seconds,
                trainer.weights(),
            )

    def _tell(self, error: OSError) -> None:
        self._is_told = True
        path = self._log.path
        detail = f"cannot write {path}: {reason(error, path)}"
        self._mailbox.send(LogBlocked(detail=detail, remedy=remedy(error, path)))

    def _tell_unblocked(self) -> None:
        self._is_told = False
        self._mailbox.send(LogUnblocked())
