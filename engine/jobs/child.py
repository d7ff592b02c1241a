"""A process and the pipe to it, as seen by the process that started it, or a fork of that.

A fork has the pipes, too, and goes on as the only one. It may not `join` a process, so the end of
one is awaited by its sentinel.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from engine.jobs.messages import Death
from engine.jobs.outbox import Outbox, Supersedes, supersedes_nothing

STOP_SECONDS: Final = 1.0
"""Seconds for a process to end after it was asked to, or after its pipe closed."""
_FINISH_SECONDS: Final = 0.02
"""Seconds between two checks of processes that are about to end."""
_SUSPENDED: Final = {"T", "t"}
"""States in proc(5) of a process stopped by a signal or by a debugger."""


class Child:
    """A process that is started in the background, since starting blocks while torch is imported.

    Messages may be sent at once; those sent before its pipe exists wait. Not thread-safe.
    """

    def __init__(
        self,
        start: Callable[[], tuple[BaseProcess, Connection]],
        name: str,
        patience: float = STOP_SECONDS,
        supersedes: Supersedes = supersedes_nothing,
    ) -> None:
        """Start the process by calling `start` in a thread.

        `patience` is the number of seconds it may take to end once its pipe is closed.
        `supersedes` decides by the labels of messages which waiting ones a new one replaces.
        """
        self.start_failure: str | None = None
        """The reason why the process could not be started."""
        self._patience = patience
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._outbox = Outbox(supersedes)
        self._is_closed = self._has_ended = False
        self._lock = threading.Lock()
        self._is_decided = threading.Event()
        """Set once the process has started or failed to start."""
        threading.Thread(
            target=self._start, args=(start,), daemon=True, name=f"start {name}"
        ).start()

    def _start(self, start: Callable[[], tuple[BaseProcess, Connection]]) -> None:
        try:
            process, pipe = start()
        except Exception as error:  # whatever multiprocessing raises
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
        """The process id; None before the start."""
        return None if self._process is None else self._process.pid

    @property
    def has_ended(self) -> bool:
        """True once it failed to start or its pipe ended, whatever its exit code seems to be."""
        return self._has_ended or self.start_failure is not None

    @property
    def has_lost_server(self) -> bool:
        """True if the fork server died, and all exit codes with it, while the process lives on."""
        process, pipe = self._process, self._pipe
        if process is None or pipe is None or self.has_ended:
            return False
        return process.exitcode is not None and not pipe.poll()

    def send(self, message: bytes, label: object = None) -> None:
        """Send a message, or queue it while the pipe is full. Never blocks.

        `receive` sends queued messages later. `label` identifies the message for `supersedes`.
        """
        if self.has_ended or self._is_closed:
            return
        with self._lock:
            self._outbox.put(message, label)
            if self._pipe is not None:
                self._outbox.flush(self._pipe)

    def receive(self, timeout: float = 0.0, most: int | None = None) -> list[bytes]:
        """The messages that have arrived; waits up to `timeout` seconds for the first one."""
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
        """The cause of the process's end, once its pipe has ended.

        Waits up to `patience` seconds for the exit code.
        """
        if self._process is None:
            return Death()
        wait([self._process.sentinel], patience)
        code = self._process.exitcode
        return Death(signal.Signals(-code).name if code is not None and code < 0 else "")

    @property
    def is_running(self) -> bool:
        """True while its pipe is open, from the start of the process to its end."""
        return self._pipe is not None and not self._has_ended and not self._is_closed

    @property
    def is_suspended(self) -> bool:
        """True while a signal has stopped the process; always false if there is no /proc."""
        return self.pid is not None and _state_of(self.pid) in _SUSPENDED

    def kill(self) -> None:
        """Kill the process, if its pipe is still open.

        Uses its id, since multiprocessing considers a process ended once its fork server has died.
        """
        if self.is_running and self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Close the pipe, which asks the process to end; kill the process if it is too slow.

        Safe to repeat.
        """
        with self._lock:
            self._is_closed = True
            process, pipe = self._process, self._pipe
        if process is not None and pipe is not None:
            _end(process, pipe, self._patience)


def finish(children: Sequence[Child], seconds: float) -> None:
    """Wait for processes that were asked to end, while they do so, and close their pipes.

    A process that a signal has stopped is killed soon, any other after `seconds`.
    """
    start = time.monotonic()
    while waiting := [child for child in children if child.is_running]:
        elapsed = time.monotonic() - start
        if elapsed > seconds + STOP_SECONDS:
            break  # even SIGKILL did not end it: it hangs in a system call
        for child in waiting:
            if elapsed > seconds or (elapsed > STOP_SECONDS and child.is_suspended):
                child.kill()
        waiting[0].receive(_FINISH_SECONDS)
        for child in waiting[1:]:
            child.receive()
    for child in children:
        child.close()


def _state_of(pid: int) -> str:
    """The state of a process as a letter of proc(5); "" if there is no such file."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def _end(process: BaseProcess, pipe: Connection, patience: float) -> None:
    pipe.close()
    wait([process.sentinel], patience)
    if process.exitcode is None:
        process.kill()
        wait([process.sentinel], patience)
