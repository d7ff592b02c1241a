"""A process that trains as the host of its run: its socket, its output without a terminal."""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

from engine.log.directory import RunDirectory
from engine.log.filesystem.safe_open import output_opened
from engine.log.notices import Notice
from engine.session import Session
from engine.session.host.address import AddressError
from engine.session.host.note import OUTPUT
from engine.session.host.server import HostServer
from engine.session.hosted import Hosted
from engine.session.reopened import ReopenedSession
from gdtui import __version__
from gdtui.terminal.hangup import is_gone, when_gone

_STREAMS: Final = (1, 2)


class RunHost:
    """The socket of a run, or nothing in its place where none can be made."""

    def __init__(self, session: Hosted, starter: socket.socket | None = None) -> None:
        """`starter`: the connection to the process that has started this one."""
        trouble = ""
        self._server: HostServer | None = None
        try:
            self._server = HostServer(session, __version__, starter=starter)
            trouble = self._server.trouble
        except AddressError as error:
            trouble = str(error)
        self.trouble = trouble and f"this run cannot be attached to: {trouble}"
        """Why no other process can command this run; empty if they can."""

    def wait(self, seconds: float) -> None:
        """Answer clients; return after these seconds, or earlier if there was something to do."""
        if self._server is None:
            time.sleep(seconds)
        else:
            self._server.serve(seconds)

    def fileno(self) -> int | None:
        """A descriptor that becomes readable when a client wants something; None without one."""
        return None if self._server is None else self._server.fileno()

    def publish(self, notices: Iterable[Notice]) -> None:
        """Send notices to all viewers."""
        if self._server is not None:
            self._server.publish(notices)

    @property
    def is_end_asked(self) -> bool:
        """True once a client has asked for the end of the run."""
        return self._server is not None and self._server.is_end_asked

    def note_end(self, has_ended: bool) -> None:
        """Tell clients from now on whether all variants have ended."""
        if self._server is not None:
            self._server.has_ended = has_ended

    @property
    def viewers(self) -> int:
        """The number of screens connected."""
        return 0 if self._server is None else self._server.viewers

    @property
    def screen_size(self) -> tuple[int, int] | None:
        """Rows and columns that fit all screens connected; None if none is known."""
        return None if self._server is None else self._server.screen_size

    def close(self) -> None:
        """Disconnect all clients. Safe to repeat."""
        if self._server is not None:
            self._server.close()


class HostedSession(Session):
    """A session that other processes can command; its notices reach their screens, too.

    SIGUSR1, which a job scheduler may send before it ends a job, takes a checkpoint.
    """

    def __init__(self, run: RunDirectory, starter: socket.socket | None = None) -> None:
        super().__init__(run)
        self.host = RunHost(self, starter)
        self._is_keeping_asked = False
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGUSR1, self._ask_to_keep)

    def _ask_to_keep(self, number: int, frame: FrameType | None) -> None:
        self._is_keeping_asked = True

    def poll(self) -> list[Notice]:
        if self._is_keeping_asked:
            self._is_keeping_asked = False
            self._commands.keep()
        notices = super().poll()
        self.host.publish(notices)
        return notices

    def close(self) -> None:
        self.host.close()
        super().close()


class ReopenedHostedSession(HostedSession, ReopenedSession):
    """A hosted session that continues the logs of an ended run."""


@contextlib.contextmanager
def end_signals() -> Iterator[list[int]]:
    """Note the signals that ask to end, so that workers are stopped and logs closed first.

    SIGHUP is not one of them: a lost terminal ends no training. SIGUSR1, which a job scheduler may
    send at any time, ends nothing either.
    """
    received: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        received.append(number)

    before: dict[signal.Signals, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
            before[number] = signal.signal(number, note)
    if signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:  # else a session heeds it
        before[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        yield received
    finally:
        for changed, handler in before.items():
            signal.signal(changed, handler)


class TerminalOutput:
    """stdout and stderr, which go to a file of the run once their terminal is gone."""

    def __init__(self, run: Path) -> None:
        self._path: Path = run / OUTPUT
        self._terminals = [number for number in _STREAMS if _is_terminal(number)]
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if self._terminals:
            when_gone(self._terminals[-1], self.leave_terminal)

    def check(self) -> None:
        """Make sure that what is printed next does not go to a terminal that is gone."""
        if self._terminals and is_gone(self._terminals[-1]):
            self.leave_terminal()

    def leave_terminal(self) -> None:
        """Send to the file what would go to the terminal. May be called from any thread."""
        terminals, self._terminals = self._terminals, []
        if terminals:
            self._redirect(terminals)

    def detach(self) -> None:
        """Send all output to the file."""
        self._terminals = []
        self._redirect(_STREAMS)

    def _redirect(self, numbers: Iterable[int]) -> None:
        try:
            with output_opened(self._path) as file:
                for number in numbers:
                    os.dup2(file, number)
        except OSError:  # the run directory is gone, or the disk is full
            with Path(os.devnull).open("wb") as nowhere:
                for number in numbers:
                    os.dup2(nowhere.fileno(), number)


def _is_terminal(number: int) -> bool:
    try:
        return os.isatty(number)
    except OSError:
        return False
