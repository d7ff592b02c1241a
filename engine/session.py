"""Starts the workers of a run, tells them what to do, notices when one dies, and stops them all.

The only way to a worker. What is shown comes from the run directory, never from here, except the
notices of `poll`.
"""

import contextlib
import time
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection, wait
from typing import Final, Self

import msgspec

from engine.jobs.cores import fair_threads, usable_cores
from engine.jobs.handles import Handle, cause_of_death, end
from engine.jobs.starter import NotStarted, Starter
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
from engine.log.directory import RunDirectory
from engine.log.file import LogWriter
from engine.log.notices import Notice, NoticeKind
from engine.log.records import CommandSent, End, Record, WorkerDied, WorkerReplaced
from engine.settings import Variant, VariantSettings
from engine.worker.notes import AnyNote, LogBlocked, LogRefused, LogUnblocked
from engine.worker.tasks import WorkerTask

_STOP_SECONDS: Final = 1.0
"""How long a worker may take to close its log before it is killed."""

_NOTE: Final = msgspec.msgpack.Decoder(AnyNote)


class Session:
    """The workers of one run. Not thread-safe, but for the thread of its own that starts workers."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        settings = run.info.settings
        self._epochs, self._pace = settings.epochs, settings.pace
        self._measuring = settings.measuring
        self._handles = {variant.name: Handle(variant) for variant in settings.variants}
        self._log = LogWriter(run.session_log)
        self._notices: list[Notice] = []
        self._command_id = 0
        self._is_closed = False
        self._starter = Starter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- Starting -------------------------------------------------------------------------------

    def start(self) -> None:
        """Start every worker; returns at once, torch being imported meanwhile."""
        for handle in self._handles.values():
            self._request(handle.variant)

    def _request(self, variant: Variant) -> None:
        settings = self.run.info.settings
        devices = [settings.device_of(place) for place in range(len(settings.variants))]
        device = devices[list(self._handles).index(variant.name)]
        task = WorkerTask(
            run=settings,
            variant=variant,
            device=device,
            sharing=devices.count(device),
            stored=str(self.run.data),
            log=str(self.run.variant_log(variant.name)),
            output=str(self.run.variant_output(variant.name)),
            threads=settings.threads or fair_threads(usable_cores(), len(self._handles)),
            epochs=self._epochs,
            pace=self._pace,
            measuring=self._measuring,
            is_paused=self._handles[variant.name].is_paused,
        )
        self._starter.request(task)

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
            handle = self._handles[name]
            if not handle.is_dead:
                self._send(name, Restart(id=self._next_id(), settings=value))
                continue
            handle.is_dead = handle.server_died = False
            handle.process = handle.pipe = None
            handle.outbox.clear()
            self._write(WorkerReplaced(variant=name, command=self._command_id))
            self._request(Variant(name=name, settings=value))

    def pause(self) -> None:
        """All variants stop after the batch at hand."""
        for name, handle in self._handles.items():
            handle.is_paused = True
            self._send(name, Pause(id=self._next_id()))

    def resume(self) -> None:
        """All variants go on; logs that could not be written are tried again."""
        self._retry_log()
        for name, handle in self._handles.items():
            handle.is_paused = False
            self._send(name, Resume(id=self._next_id()))

    def step_once(self, names: Iterable[str]) -> None:
        """The named variants do one update, then pause."""
        for name in names:
            self._handles[name].is_paused = True
            self._send(name, StepOnce(id=self._next_id()))

    def set_pace(self, pace: float | None) -> None:
        """All variants train that many epochs a second; None: as fast as the device goes."""
        self._pace = pace
        for name in self._handles:
            self._send(name, SetPace(id=self._next_id(), pace=pace))

    def extend(self) -> None:
        """Add the run's planned number of epochs once more, for all."""
        self._epochs += self.run.info.settings.epochs
        for name in self._handles:
            self._send(name, Extend(id=self._next_id(), epochs=self._epochs))

    def measure(self, names: Iterable[str]) -> None:
        """The named variants measure noise scale and sharpness at once."""
        for name in names:
            self._send(name, Measure(id=self._next_id()))

    def set_measuring(self, is_on: bool) -> None:
        """All variants measure now and then, or only when asked."""
        self._measuring = is_on
        for name in self._handles:
            self._send(name, SetMeasuring(id=self._next_id(), is_on=is_on))

    def _next_id(self) -> int:
        self._command_id += 1
        return self._command_id

    def _send(self, name: str, command: AnyCommand) -> None:
        handle = self._handles[name]
        if handle.is_dead:
            return
        if not isinstance(command, Stop):  # every session ends so: nothing to record
            self._write(CommandSent(variant=name, command=command))
        if handle.pipe is None:
            handle.outbox.append(command)
            return
        with contextlib.suppress(OSError):  # it has died: poll will see the end of its pipe, and say so
            handle.pipe.send_bytes(msgspec.msgpack.encode(command))

    # --- Watching over the workers --------------------------------------------------------------

    def poll(self) -> list[Notice]:
        """What has happened since the last call that the user must be told; never blocks."""
        self._adopt_started()
        pipes = {handle.pipe: handle for handle in self._handles.values() if handle.pipe is not None}
        for pipe in wait(list(pipes), timeout=0):
            assert isinstance(pipe, Connection)
            self._receive(pipes[pipe], pipe)
        self._look_for_server()
        notices, self._notices = self._notices, []
        return notices

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the workers that run."""
        return {
            name: handle.process.pid
            for name, handle in self._handles.items()
            if handle.process is not None and handle.process.pid is not None and not handle.is_dead
        }

    def _adopt_started(self) -> None:
        for result in self._starter.results():
            handle = self._handles[result.variant]
            if isinstance(result, NotStarted):
                handle.is_dead = True
                self._record_death(result.variant, result.text)
                self._notices.append(
                    Notice(kind=NoticeKind.NOT_STARTED, variant=result.variant, text=result.text)
                )
                continue
            handle.process, handle.pipe = result.process, result.pipe
            for command in handle.outbox:
                result.pipe.send_bytes(msgspec.msgpack.encode(command))
            handle.outbox.clear()

    def _receive(self, handle: Handle, pipe: Connection) -> None:
        """Read the notes that have come; at the end of the pipe the worker has died."""
        name = handle.variant.name
        try:
            while pipe.poll():
                note = _NOTE.decode(pipe.recv_bytes())
                if isinstance(note, LogBlocked):
                    text = f"{note.detail}. Paused, nothing is lost: make room"
                    self._notices.append(Notice(kind=NoticeKind.LOG_BLOCKED, variant=name, text=text))
                elif isinstance(note, LogRefused):
                    handle.last_words = note.detail
                elif isinstance(note, LogUnblocked):
                    self._notices.append(
                        Notice(kind=NoticeKind.LOG_UNBLOCKED, variant=name, text="log written again")
                    )
        except (EOFError, OSError):
            pipe.close()
            handle.pipe, handle.is_dead = None, True
            text = f"its worker {cause_of_death(handle)}"
            self._record_death(name, text)
            self._notices.append(Notice(kind=NoticeKind.DIED, variant=name, text=text))

    def _record_death(self, name: str, detail: str) -> None:
        self._write(WorkerDied(variant=name, detail=detail))

    def _look_for_server(self) -> None:
        """A sentinel that ends before the pipe does: the fork server has died, the worker lives on."""
        for name, handle in self._handles.items():
            if handle.process is None or handle.pipe is None or handle.server_died:
                continue
            if not handle.process.is_alive() and not handle.pipe.poll():
                handle.server_died = True
                text = "the process that starts workers has died; the workers train on"
                self._notices.append(Notice(kind=NoticeKind.SERVER_DIED, variant=name, text=text))

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
        text = f"cannot write {self._log.path}: {error.strerror}. Make room"
        self._notices.append(Notice(kind=NoticeKind.LOG_BLOCKED, variant=None, text=text))

    # --- Stopping -------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop all workers and close the logs; kills a worker that does not stop. Safe to repeat."""
        if self._is_closed:
            return
        self._is_closed = True
        self._starter.close()
        self._adopt_started()
        for name in self._handles:
            self._send(name, Stop(id=self._next_id()))
        deadline = time.monotonic() + _STOP_SECONDS
        for handle in self._handles.values():
            end(handle, deadline)
        self._write(End())
        self._log.close()
        self.run.remove_data()
