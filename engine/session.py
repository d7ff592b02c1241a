"""Starts the workers of a run, tells them what to do, notices when one dies, and stops them all.

The only way to a worker. What is shown comes from the run directory, never from here, except the
notices of `poll`: they tell what the run directory may be unable to hold.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Final, Self

import msgspec

from engine.launch import start_worker
from engine.messages import (
    AnyCommand,
    AnyNote,
    Change,
    CommandSent,
    End,
    Extend,
    LogBlocked,
    LogUnblocked,
    Measure,
    Pause,
    Record,
    Restart,
    Resume,
    SetMeasuring,
    SetPace,
    StepOnce,
    Stop,
    WorkerDied,
    WorkerReplaced,
    WorkerTask,
)
from engine.rundir import RunDirectory
from engine.runlog import LogWriter
from engine.settings import Variant, VariantSettings

_STOP_SECONDS: Final = 1.0
"""How long a worker may take to close its log before it is killed."""

_NOTE: Final = msgspec.msgpack.Decoder(AnyNote)


class NoticeKind(StrEnum):
    """What a notice is about."""

    DIED = "died"
    SERVER_DIED = "server died"
    NOT_STARTED = "not started"
    LOG_BLOCKED = "log blocked"
    LOG_UNBLOCKED = "log unblocked"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something to tell the user at once."""

    kind: NoticeKind
    variant: str | None
    text: str


@dataclass(slots=True)
class _Handle:
    """One variant's worker as the session knows it."""

    variant: Variant
    process: BaseProcess | None = None
    pipe: Connection | None = None
    is_dead: bool = False
    server_died: bool = False
    outbox: list[AnyCommand] = field(default_factory=list)
    """Sent before the worker had a pipe."""


class Session:
    """The workers of one run. Not thread-safe, but for the thread of its own that starts workers."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        settings = run.info.settings
        self._epochs, self._pace = settings.epochs, settings.pace
        self._measuring = settings.measuring
        self._handles = {variant.name: _Handle(variant) for variant in settings.variants}
        self._log = LogWriter(run.session_log)
        self._notices: list[Notice] = []
        self._command_id = 0
        self._is_closed = False
        self._to_start: SimpleQueue[tuple[_Handle, WorkerTask]] = SimpleQueue()
        self._started: SimpleQueue[tuple[_Handle, BaseProcess, Connection] | Notice] = SimpleQueue()
        threading.Thread(target=self._start_workers, daemon=True, name="starter").start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- Starting -------------------------------------------------------------------------------

    def start(self) -> None:
        """Start every worker; returns at once, torch being imported meanwhile."""
        for handle in self._handles.values():
            self._request(handle, handle.variant)

    def _request(self, handle: _Handle, variant: Variant) -> None:
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
        )
        self._to_start.put((handle, task))

    def _start_workers(self) -> None:
        """The starting thread: `start_worker` blocks while the fork server imports torch."""
        while True:
            handle, task = self._to_start.get()
            try:
                process, pipe = start_worker(task)
            except Exception as error:  # this thread must outlive whatever multiprocessing throws
                text = f"its worker could not be started ({error})"
                self._started.put(Notice(kind=NoticeKind.NOT_STARTED, variant=task.variant.name, text=text))
                continue
            if self._is_closed:
                pipe.close()  # tells it to stop
            else:
                self._started.put((handle, process, pipe))

    # --- Commands -------------------------------------------------------------------------------

    def change(self, settings: Mapping[str, VariantSettings]) -> None:
        """Let the named variants train with these settings from their next group on."""
        for name, value in settings.items():
            self._send(name, Change(id=self._next_id(), settings=value))

    def restart(self, settings: Mapping[str, VariantSettings]) -> None:
        """Begin the next generation of the named variants; a new worker takes a dead one's place."""
        for name, value in settings.items():
            handle = self._handles[name]
            if not handle.is_dead:
                self._send(name, Restart(id=self._next_id(), settings=value))
                continue
            handle.is_dead = handle.server_died = False
            handle.process = handle.pipe = None
            handle.outbox.clear()
            self._write(WorkerReplaced(variant=name, command=self._command_id))
            self._request(handle, Variant(name=name, settings=value))

    def pause(self) -> None:
        """All variants stop after the batch at hand."""
        for name in self._handles:
            self._send(name, Pause(id=self._next_id()))

    def resume(self) -> None:
        """All variants go on; logs that could not be written are tried again."""
        self._retry_log()
        for name in self._handles:
            self._send(name, Resume(id=self._next_id()))

    def step_once(self, names: Iterable[str]) -> None:
        """The named variants do one update, then pause."""
        for name in names:
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
        while True:
            try:
                started = self._started.get_nowait()
            except Empty:
                return
            if isinstance(started, Notice):
                assert started.variant is not None
                self._handles[started.variant].is_dead = True
                self._record_death(started.variant, started.text)
                self._notices.append(started)
                continue
            handle, process, pipe = started
            handle.process, handle.pipe = process, pipe
            for command in handle.outbox:
                pipe.send_bytes(msgspec.msgpack.encode(command))
            handle.outbox.clear()

    def _receive(self, handle: _Handle, pipe: Connection) -> None:
        """Read the notes that have come; at the end of the pipe the worker has died."""
        name = handle.variant.name
        try:
            while pipe.poll():
                note = _NOTE.decode(pipe.recv_bytes())
                if isinstance(note, LogBlocked):
                    text = f"{note.detail}. Paused, nothing is lost: make room, then resume"
                    self._notices.append(Notice(kind=NoticeKind.LOG_BLOCKED, variant=name, text=text))
                elif isinstance(note, LogUnblocked):
                    self._notices.append(
                        Notice(kind=NoticeKind.LOG_UNBLOCKED, variant=name, text="log written again")
                    )
        except (EOFError, OSError):
            pipe.close()
            handle.pipe, handle.is_dead = None, True
            text = f"its worker {_cause_of_death(handle)}"
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
        text = f"cannot write {self._log.path}: {error.strerror}. Make room, then resume"
        self._notices.append(Notice(kind=NoticeKind.LOG_BLOCKED, variant=None, text=text))

    # --- Stopping -------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop all workers and close the logs; kills a worker that does not stop. Safe to repeat."""
        if self._is_closed:
            return
        self._is_closed = True
        self._adopt_started()
        for name in self._handles:
            self._send(name, Stop(id=self._next_id()))
        deadline = time.monotonic() + _STOP_SECONDS
        for handle in self._handles.values():
            _end(handle, deadline)
        self._write(End())
        self._log.close()
        self.run.remove_data()


def fair_threads(cores: int, workers: int) -> int:
    """Intra-op threads a worker: a share of the cores but one, which stays for the screen.

    Threads that outnumber the free cores wait for each other at every operation: with both of two
    cores given to one worker, a full-batch step took twice as long as with one.
    """
    return max(1, (cores - 1) // workers)


def usable_cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cause_of_death(handle: _Handle) -> str:
    """Such as "was ended by SIGKILL"; without the fork server nobody knows the cause."""
    process = handle.process
    if process is None or handle.server_died:
        return "has died"
    process.join(0.2)
    code = process.exitcode
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return "has died"


def _end(handle: _Handle, deadline: float) -> None:
    """Wait for a worker's pipe to end, then for its process; kill it after the deadline."""
    process, pipe = handle.process, handle.pipe
    if process is None or pipe is None:
        return
    try:
        while pipe.poll(max(0.0, deadline - time.monotonic())):
            pipe.recv_bytes()  # EOFError once the worker is gone
    except (EOFError, OSError):
        process.join(_STOP_SECONDS)
    else:
        process.kill()
        process.join(_STOP_SECONDS)
    pipe.close()
