"""A process and the pipe to it, as seen by the process that started it."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final

from engine.jobs.death import Death

STOP_SECONDS: Final = 1.0
"""Seconds for a process that was told to end, or should have ended."""


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
    ) -> None:
        """`start`: starts it; `patience`: seconds that it may take to end once its pipe has."""
        self.start_failure: str | None = None
        """The reason why it could not be started."""
        self._patience = patience
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._outbox: list[bytes] = []
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
                with contextlib.suppress(OSError):  # it has died, as `receive` will find
                    for message in self._outbox:
                        pipe.send_bytes(message)
                self._outbox.clear()
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

    def send(self, message: bytes) -> None:
        """Send it a message; a process that has died gets none."""
        with self._lock:
            if self._pipe is None:
                self._outbox.append(message)
                return
            with contextlib.suppress(OSError):  # `receive` will find the end of its pipe
                self._pipe.send_bytes(message)

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

    def finish(self, deadline: float) -> None:
        """End it, which was told to end by itself.

        Kill it at the deadline, in time.monotonic()'s seconds.
        """
        process, pipe = self._process, self._pipe
        if process is not None and pipe is not None and not self._has_ended:
            try:
                while pipe.poll(max(0.0, deadline - time.monotonic())):
                    pipe.recv_bytes()  # EOFError once it is gone
            except (EOFError, OSError):
                process.join(self._patience)
            else:
                process.kill()
        self.close()

    def close(self) -> None:
        """End it: close its pipe, which tells it to; kill it if it has not in time.

        Safe to repeat.
        """
        with self._lock:
            self._is_closed = True
            process, pipe = self._process, self._pipe
        if process is not None and pipe is not None:
            _end(process, pipe, self._patience)


def _end(process: BaseProcess, pipe: Connection, patience: float) -> None:
    pipe.close()
    process.join(patience)
    if process.is_alive():
        process.kill()
        process.join(patience)
