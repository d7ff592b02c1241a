"""A program as a child process, with a pipe for its stdout and one for its stderr."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

_NOT_FOUND: Final = 127
_NOT_EXECUTABLE: Final = 126
_PR_SET_PDEATHSIG: Final = 1
PORTION: Final = 1 << 16
"""Most bytes read from a stream at once."""


class ProgramError(Exception):
    """A program that cannot be started; `status` is the exit status by which a shell reports it."""

    def __init__(self, error: OSError, command: str) -> None:
        super().__init__(f"{command}: {error.strerror}")
        is_missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        self.status = _NOT_FOUND if is_missing else _NOT_EXECUTABLE


class ChildProgram:
    """A running program. Its signals are as they were for this process; SIGHUP is ignored."""

    def __init__(
        self, command: Sequence[str], *, stdin: int | None, unblocked: set[signal.Signals]
    ) -> None:
        """Start it. `stdin`: a descriptor, None for none. `unblocked`: signals that it receives.

        It is killed when this thread's process ends. Raises ProgramError.
        """
        prepare = _preparation(unblocked)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(os.environ),
                preexec_fn=prepare,
                bufsize=0,
            )
        except OSError as error:
            raise ProgramError(error, command[0]) from None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._files = {1: self._process.stdout, 2: self._process.stderr}
        for file in self._files.values():
            os.set_blocking(file.fileno(), False)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def streams(self) -> dict[int, int]:
        """The descriptors to read from: 1 for stdout, 2 for stderr, while they are open."""
        return {number: file.fileno() for number, file in self._files.items()}

    def read(self, stream: int) -> bytes:
        """Unread output of a stream; closes a stream that has ended."""
        if (file := self._files.get(stream)) is None:
            return b""
        try:
            data = os.read(file.fileno(), PORTION)
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
            file.close()

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


def _preparation(unblocked: set[signal.Signals]) -> Callable[[], None]:
    """A function that the child calls between fork and exec, which does as little as possible."""
    die_with_parent = None
    if sys.platform == "linux":
        die_with_parent = ctypes.CDLL(None).prctl  # looked up here, since a fork holds no locks

    def prepare() -> None:
        if die_with_parent is not None:
            die_with_parent(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, unblocked)

    return prepare
