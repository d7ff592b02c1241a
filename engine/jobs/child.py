"""A process and the pipe to it, as seen by the process that started it."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from engine.jobs.messages import Death
from engine.jobs.outbox import Outbox, Supersedes, supersedes_nothing

STOP_SECONDS: Final = 1.0
"""Seconds for a process that was told to end, or should have ended."""
_FINISH_SECONDS: Final = 0.02
"""Seconds between two looks at processes that are about to end."""
_SUSPENDED: Final = {"T", "t"}
"""States of proc(5): stopped by a signal, or by a debugger."""


class Child:
    """A process that is started in the background, since that blocks while torch is imported.

    It may be spoken to at once: what is sent before its pipe is there waits. Not thread-safe
    otherwise.
    """

    def __init__(
        self,
        start: Callable[[], tuple[BaseProcess, Connection]],
        name: str,
        patience: float = STOP_SECONDS,
        supersedes: Supersedes = supersedes_nothing,
    ) -> None:
        """`start`: starts it; `patience`: seconds that it may take to end once its pipe has.

        `supersedes`: which waiting messages a new one makes superfluous, by their labels.
        """
        self.start_failure: str | None = None
        """The reason why it could not be started."""
        self._patience = patience
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._outbox = Outbox(supersedes)
        self._is_closed = self._has_ended = False
        self._lock = threading.Lock()
        self._is_decided = threading.Event()
        """Set once it was started, or could not be."""
        threading.Thread(
            target=self._start, args=(start,), daemon=True, name=f"start {name}"
        ).start()

    def _start(self, start: Callable[[], tuple[BaseProcess, Connection]]) -> None:
        try:
            process, pipe = start()
        except Exception as error:  # whatever multiprocessing throws
            self.start_failure = str(error)
            self._is_decided.set()
            return
        with self._lock:
            is_wanted = not self._is_closed
            if is_wanted:
                self._process, self._pipe = process, pipe
                self._outbox.flush(pipe)
        self._is_decided.set()
        if not is_wanted:
            _end(process, pipe, self._patience)

    @property
    def pid(self) -> int | None:
        """None before it was started."""
        return None if self._process is None else self._process.pid

    @property
    def has_ended(self) -> bool:
        """True once it failed to start or its pipe ended; see `has_lost_server` for exit codes."""
        return self._has_ended or self.start_failure is not None

    @property
    def has_lost_server(self) -> bool:
        """True when the fork server died, and every exit code with it: the process lives on."""
        process, pipe = self._process, self._pipe
        if process is None or pipe is None or self.has_ended:
            return False
        return not process.is_alive() and not pipe.poll()

    def send(self, message: bytes, label: object = None) -> None:
        """Send it, or let it wait while the pipe is full: `receive` sends it later. Never blocks.

        `label`: for `supersedes`.
        """
        if self.has_ended or self._is_closed:
            return
        with self._lock:
            self._outbox.put(message, label)
            if self._pipe is not None:
                self._outbox.flush(self._pipe)

    def receive(self, timeout: float = 0.0, most: int | None = None) -> list[bytes]:
        """The messages that have come; waits up to `timeout` seconds for a first one."""
        messages: list[bytes] = []
        if (
            self._has_ended
            or self._is_closed
            or not self._is_decided.wait(timeout)
            or self._pipe is None
        ):
            return messages
        with self._lock:
            self._outbox.flush(self._pipe)
        try:
            while (most is None or len(messages) < most) and self._pipe.poll(
                0.0 if messages else timeout
            ):
                messages.append(self._pipe.recv_bytes())
        except (EOFError, OSError):
            self._pipe.close()
            self._has_ended = True
        return messages

    def cause_of_death(self, patience: float = STOP_SECONDS) -> Death:
        """The cause of its end, once its pipe has ended.

        Waits up to `patience` seconds for its exit code.
        """
        if self._process is None:
            return Death()
        self._process.join(patience)
        code = self._process.exitcode
        return Death(signal.Signals(-code).name if code is not None and code < 0 else "")

    @property
    def is_running(self) -> bool:
        """True while its pipe is open: from its start to its end."""
        return self._pipe is not None and not self._has_ended and not self._is_closed

    @property
    def is_suspended(self) -> bool:
        """True while a signal has stopped it. Where the system does not tell, nothing is."""
        return self.pid is not None and _state_of(self.pid) in _SUSPENDED

    def kill(self) -> None:
        """End it at once, while its pipe is open.

        By its id: multiprocessing takes every process for ended whose fork server has died.
        """
        if self.is_running and self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it: close its pipe, which tells it to; kill it if it has not in time.

        Safe to repeat.
        """
        with self._lock:
            self._is_closed = True
            process, pipe = self._process, self._pipe
        if process is not None and pipe is not None:
            _end(process, pipe, self._patience)


def finish(children: Sequence[Child], seconds: float) -> None:
    """End processes that were told to end by themselves, and wait for it while they are at it.

    One that is stopped by a signal is killed soon, any other after `seconds`.
    """
    start = time.monotonic()
    while waiting := [child for child in children if child.is_running]:
        elapsed = time.monotonic() - start
        if elapsed > seconds + STOP_SECONDS:
            break  # not even killed: the system holds it
        for child in waiting:
            if elapsed > seconds or (elapsed > STOP_SECONDS and child.is_suspended):
                child.kill()
        waiting[0].receive(_FINISH_SECONDS)
        for child in waiting[1:]:
            child.receive()
    for child in children:
        child.close()


def _state_of(pid: int) -> str:
    """The state of a process by the letter of proc(5); "" where there is no such file."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def _end(process: BaseProcess, pipe: Connection, patience: float) -> None:
    pipe.close()
    process.join(patience)
    if process.is_alive():
        process.kill()
        process.join(patience)
