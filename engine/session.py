"""A session starts the workers of a run, commands them, notices when one dies, and stops them all.

It is the only way to a worker. Front ends read the run directory, not the session, except for the
notices of `poll`.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final, Self

import msgspec

from engine.jobs.child import Child
from engine.jobs.cores import fair_threads, usable_cores
from engine.jobs.fork_server import start_process
from engine.log.commands import (
    AnyCommand,
    Change,
    Extend,
    Measure,
    Pause,
    Restart,
    Resume,
    SetMeasuring,
    SetPace,
    StepOnce,
    Stop,
)
from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.filesystem.disk_errors import cannot_write
from engine.log.notices import Notice, NoticeKind
from engine.log.records import CommandSent, End, Record, WorkerDied, WorkerReplaced
from engine.log.writing.writer import LogWriter
from engine.settings import Variant, VariantSettings
from engine.worker.protocol import AnyNote, LogBlocked, LogRefused, LogUnblocked, WorkerTask

_STOP_SECONDS: Final = 1.0
"""Seconds that workers get to close their logs before they are killed."""

_DEATH_SECONDS: Final = 0.2
"""Seconds that the screen may wait for the exit code of a dead worker."""

_NOTE: Final = msgspec.msgpack.Decoder(AnyNote)


@dataclass(slots=True)
class _Worker:
    """One variant's worker as the session knows it."""

    variant: Variant
    child: Child | None = None
    is_dead: bool = False
    server_died: bool = False
    """True once the user was told of it."""
    last_words: str = ""
    """The worker's reason for ending."""
    is_paused: bool = False
    """True between a pause and the command to go on; a replacement begins in this state."""


class Session:
    """The workers of one run. Not thread-safe."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        settings = run.info.settings
        self._epochs, self._pace = settings.epochs, settings.pace
        self._measuring = settings.measuring
        self._workers = {variant.name: _Worker(variant) for variant in settings.variants}
        try:
            self._log = LogWriter(run.session_log)
        except OSError as error:
            path = run.session_log
            raise RunDirectoryError(cannot_write(error, path), path) from None
        self._notices: list[Notice] = []
        self._command_id = 0
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- Starting -------------------------------------------------------------------------------

    def start(self) -> None:
        """Start every worker; return at once, while torch is being imported."""
        for worker in self._workers.values():
            self._begin(worker, worker.variant)

    def _begin(self, worker: _Worker, variant: Variant) -> None:
        settings = self.run.info.settings
        devices = [settings.device_of(place) for place in range(len(settings.variants))]
        device = devices[list(self._workers).index(variant.name)]
        task = WorkerTask(
            run=settings,
            variant=variant,
            device=device,
            sharing=devices.count(device),
            stored=self.run.stored,
            log=str(self.run.variant_log(variant.name)),
            output=str(self.run.variant_output(variant.name)),
            threads=settings.threads or fair_threads(usable_cores(), len(self._workers)),
            epochs=self._epochs,
            pace=self._pace,
            measuring=self._measuring,
            is_paused=worker.is_paused,
        )
        worker.child = Child(partial(_start_worker, task), variant.name)

    # --- Commands -------------------------------------------------------------------------------

    def change(self, settings: Mapping[str, VariantSettings]) -> None:
        """Let the named variants train with these settings from their next group on."""
        for name, value in settings.items():
            self._send(name, Change(id=self._next_id(), settings=value))

    def restart(self, settings: Mapping[str, VariantSettings]) -> None:
        """Begin the next generation of the named variants; a new worker takes a dead one's place.

        What is paused stays so, at its first weights.
        """
        for name, value in settings.items():
            worker = self._workers[name]
            if not worker.is_dead:
                self._send(name, Restart(id=self._next_id(), settings=value))
                continue
            worker.is_dead, worker.server_died, worker.last_words = False, False, ""
            self._write(WorkerReplaced(variant=name, command=self._command_id))
            self._begin(worker, Variant(name=name, settings=value))

    def pause(self) -> None:
        """Stop all variants after the current batch."""
        for name, worker in self._workers.items():
            worker.is_paused = True
            self._send(name, Pause(id=self._next_id()))

    def resume(self) -> None:
        """Resume all variants; logs that could not be written are tried again."""
        self._retry_log()
        for name, worker in self._workers.items():
            worker.is_paused = False
            self._send(name, Resume(id=self._next_id()))

    def step_once(self, names: Iterable[str]) -> None:
        """Let the named variants do one update, then pause."""
        for name in names:
            self._workers[name].is_paused = True
            self._send(name, StepOnce(id=self._next_id()))

    def set_pace(self, pace: float | None) -> None:
        """Set the pace of all variants in epochs per second; None: as fast as the device goes."""
        self._pace = pace
        for name in self._workers:
            self._send(name, SetPace(id=self._next_id(), pace=pace))

    def extend(self) -> None:
        """Add the run's planned number of epochs once more, for all."""
        self._epochs += self.run.info.settings.epochs
        for name in self._workers:
            self._send(name, Extend(id=self._next_id(), epochs=self._epochs))

    def measure(self, names: Iterable[str]) -> None:
        """Let the named variants measure noise scale and sharpness at once."""
        for name in names:
            self._send(name, Measure(id=self._next_id()))

    def set_measuring(self, is_on: bool) -> None:
        """Let all variants measure now and then, or only on request."""
        self._measuring = is_on
        for name in self._workers:
            self._send(name, SetMeasuring(id=self._next_id(), is_on=is_on))

    def _next_id(self) -> int:
        self._command_id += 1
        return self._command_id

    def _send(self, name: str, command: AnyCommand) -> None:
        worker = self._workers[name]
        if worker.is_dead or worker.child is None:
            return
        if not isinstance(command, Stop):  # every session ends with it: nothing to record
            self._write(CommandSent(variant=name, command=command))
        worker.child.send(msgspec.msgpack.encode(command))

    # --- Watching over the workers --------------------------------------------------------------

    def poll(self) -> list[Notice]:
        """Notices for the user since the last call; never blocks."""
        for name, worker in self._workers.items():
            if worker.child is not None and not worker.is_dead:
                self._watch(name, worker, worker.child)
        notices, self._notices = self._notices, []
        return notices

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the running workers."""
        return {
            name: worker.child.pid
            for name, worker in self._workers.items()
            if worker.child is not None and worker.child.pid is not None and not worker.is_dead
        }

    def _watch(self, name: str, worker: _Worker, child: Child) -> None:
        """Read the notes that have arrived; at the end of the pipe the worker has died."""
        for message in child.receive():
            self._heed(name, worker, _NOTE.decode(message))
        if child.start_failure is not None:
            text = f"its worker could not be started ({child.start_failure})"
            self._bury(name, worker, NoticeKind.NOT_STARTED, text)
        elif child.has_ended:
            cause = str(child.cause_of_death(_DEATH_SECONDS))
            if worker.last_words:
                cause = f"has ended: {worker.last_words}"
            self._bury(name, worker, NoticeKind.DIED, f"its worker {cause}")
        elif child.has_lost_server and not worker.server_died:
            worker.server_died = True
            self._tell(
                NoticeKind.SERVER_DIED,
                name,
                "the process that starts workers has died; running workers continue",
            )

    def _heed(self, name: str, worker: _Worker, note: AnyNote) -> None:
        match note:
            case LogBlocked():
                self._tell(
                    NoticeKind.LOG_BLOCKED,
                    name,
                    f"{note.detail}. Paused, nothing is lost: {note.remedy}",
                )
            case LogRefused():
                worker.last_words = note.detail
            case LogUnblocked():
                self._tell(NoticeKind.LOG_UNBLOCKED, name, "log written again")
            case _:
                pass

    def _bury(self, name: str, worker: _Worker, kind: NoticeKind, text: str) -> None:
        worker.is_dead = True
        self._write(WorkerDied(variant=name, detail=text))
        self._tell(kind, name, text)

    def _tell(self, kind: NoticeKind, variant: str | None, text: str) -> None:
        self._notices.append(Notice(kind=kind, variant=variant, text=text))

    # --- The session's own log ------------------------------------------------------------------

    def _write(self, record: Record) -> None:
        try:
            self._log.append(msgspec.structs.replace(record, wall_time=time.time()))
        except OSError as error:
            self._say_blocked(error)

    def _retry_log(self) -> None:
        try:
            self._log.retry()
        except OSError as error:
            self._say_blocked(error)

    def _say_blocked(self, error: OSError) -> None:
        self._tell(NoticeKind.LOG_BLOCKED, None, cannot_write(error, self._log.path))

    # --- Stopping -------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop all workers and close the logs; kill a worker that does not stop. Safe to repeat."""
        if self._is_closed:
            return
        self._is_closed = True
        for name in self._workers:
            self._send(name, Stop(id=self._next_id()))
        deadline = time.monotonic() + _STOP_SECONDS
        for worker in self._workers.values():
            if worker.child is not None:
                worker.child.finish(deadline)
        self._write(End())
        try:
            self._log.close()
        except OSError as error:
            self._say_blocked(error)
        self.run.remove_handover()


def _start_worker(task: WorkerTask) -> tuple[BaseProcess, Connection]:
    """Start a worker; blocks until torch is imported."""
    from engine.worker import main  # here, since the fork server's start must not wait for it

    return start_process(main.main, (task,), name=task.variant.name)
