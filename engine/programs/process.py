"""A program as a child process: with two pipes for its output, or a terminal of its own."""

import contextlib
import ctypes
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from typing import Final

_NOT_FOUND: Final = 127
_NOT_EXECUTABLE: Final = 126
_PR_SET_PDEATHSIG: Final = 1
_WINDOW: Final = struct.Struct("4H")
TerminalSize = tuple[int, int]
"""Rows and columns."""
PORTION: Final = 1 << 16
"""Most bytes read from a stream at once."""


class ProgramError(Exception):
    """A program that cannot be started; `status` is the exit status by which a shell reports it."""

    def __init__(self, error: OSError, command: str) -> None:
        super().__init__(f"{command}: {error.strerror}")
        is_missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        self.status = _NOT_FOUND if is_missing else _NOT_EXECUTABLE


class ChildProgram:
    """A running program, which is killed when this process ends."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdin: int | None = None,
        size: TerminalSize | None = None,
        unblocked: set[signal.Signals],
    ) -> None:
        """Start it. `unblocked`: the signals that it receives. Raises ProgramError.

        `size`: gives it a terminal of this size, which it leads. Otherwise it has two pipes, the
        descriptor `stdin` (None for none), and ignores what this process ignores.
        """
        self._files: dict[int, int] = {}
        self._terminal: int | None = None
        with contextlib.ExitStack() as theirs:
            stdin, stdout, stderr = self._open(stdin, size, theirs)
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL if stdin is None else stdin,
                    stdout=stdout,
                    stderr=stderr,
                    env=environment(os.environ),
                    start_new_session=size is not None,
                    preexec_fn=_preparation(unblocked, leads_terminal=size is not None),
                )
            except OSError as error:
                for stream in [*self._files]:
                    self.close(stream)
                raise ProgramError(error, command[0]) from None
        for file in self._files.values():
            os.set_blocking(file, False)

    def _open(
        self, stdin: int | None, size: TerminalSize | None, theirs: contextlib.ExitStack
    ) -> tuple[int | None, int, int]:
        """The program's streams, which are closed here with `theirs`."""
        if size is None:
            self._files[1], stdout = _pipe(theirs)
            self._files[2], stderr = _pipe(theirs)
            return stdin, stdout, stderr
        self._files[1], terminal = pty.openpty()
        theirs.callback(os.close, terminal)
        self._terminal = self._files[1]
        self.resize(size)
        return terminal, terminal, terminal

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def streams(self) -> dict[int, int]:
        """The descriptors to read from: 1 for stdout, 2 for stderr, while they are open."""
        return dict(self._files)

    def read(self, stream: int) -> bytes:
        """Unread output of a stream; closes a stream that has ended."""
        if (file := self._files.get(stream)) is None:
            return b""
        try:
            data = os.read(file, PORTION)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.close(stream)
        return data

    def close(self, stream: int) -> None:
        """Read no more of a stream: the program gets SIGPIPE when it prints there."""
        if (file := self._files.pop(stream, None)) is not None:
            os.close(file)
            self._terminal = None

    def resize(self, size: TerminalSize) -> None:
        """Give its terminal another size, which the program is notified of."""
        if self._terminal is not None:
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, _WINDOW.pack(*size, 0, 0))

    def interrupt(self) -> None:
        """Press Ctrl+C in its terminal; without one, send SIGINT."""
        if self._terminal is None:
            self.send(signal.SIGINT)
        else:
            with contextlib.suppress(OSError):
                os.write(self._terminal, b"\x03")

    @property
    def has_terminal(self) -> bool:
        """True while it has a terminal of its own."""
        return self._terminal is not None

    def type(self, data: bytes) -> bool:
        """Type into its terminal; False if that is full, since the program does not read."""
        if self._terminal is None:
            return False
        try:
            return os.write(self._terminal, data) == len(data)
        except OSError:
            return False

    @property
    def status(self) -> int | None:
        """The exit status, or minus the number of the signal that ended it; None before."""
        return self._process.poll()

    def send(self, number: int) -> None:
        """Send a signal to the program, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        self._process.kill()
        self._process.wait()


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of the program: those of this process, with Python's output not held back."""
    return {"PYTHONUNBUFFERED": "1", **variables}


def terminal_size(file: int) -> TerminalSize | None:
    """The size of the terminal with this descriptor; None if it is none, or gone."""
    try:
        rows, columns, _, _ = _WINDOW.unpack(fcntl.ioctl(file, termios.TIOCGWINSZ, bytes(8)))
    except OSError:
        return None
    return rows, columns


def _pipe(theirs: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe's two ends; the end for the program is closed with `theirs`."""
    reader, writer = os.pipe()
    theirs.callback(os.close, writer)
    return reader, writer


def _preparation(unblocked: set[signal.Signals], *, leads_terminal: bool) -> Callable[[], None]:
    """A function that the child calls between fork and exec, which does as little as possible."""
    die_with_parent, parent = None, os.getpid()
    if sys.platform == "linux":
        die_with_parent = ctypes.CDLL(None).prctl  # looked up here, since a fork holds no locks

    def prepare() -> None:
        if die_with_parent is not None:
            die_with_parent(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it has ended already
                os._exit(1)
        if leads_terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, unblocked)

    return prepare
