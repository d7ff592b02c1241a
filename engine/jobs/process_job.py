"""Runs one piece of work in a process of its own: tells how far it is, hands over what it found.

For work that needs torch and is no training run. Importing this loads no torch: the work does.
"""

import contextlib
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Generic, Self, TypeVar

from engine.jobs.fork_server import start_process, warm_up
from engine.settings import SettingsError
from engine.worker.main import settle_process

T = TypeVar("T")
Tell = Callable[[float, str], None]
"""Takes the share that is done (0 to 1), and what is being done."""

_TOLD_EVERY: Final = 0.05
"""Seconds between two messages on how far it is, at least."""
_STOP_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Done:
    """How far it is."""

    share: float
    """0 to 1."""
    what: str


@dataclass(frozen=True, slots=True)
class Part:
    """What was found so far, where that is worth a look: of the kind of the result."""

    result: Any


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """It is over."""

    result: T


@dataclass(frozen=True, slots=True)
class Failed:
    """It is over, without a result."""

    detail: str
    traceback: str = ""
    is_wrong_call: bool = False
    """The user asked for what is not there: a device, a package; nothing broke."""


class WorkError(Exception):
    """Work that came to nothing and knows why; the message says it."""

    def __init__(self, message: str, *, is_wrong_call: bool = False, traceback: str = "") -> None:
        super().__init__(message)
        self.is_wrong_call = is_wrong_call
        self.traceback = traceback


class Running(Generic[T]):
    """Work that is done elsewhere. Close it, and nothing of it is left."""

    def __init__(self, work: Callable[[Tell], T], name: str) -> None:
        """Start it: `work` and its result must be picklable, such as functools.partial of a function.

        Blocks until torch is imported, unless the server that workers are forked from runs already.
        """
        warm_up(Path(os.devnull))
        self._process, self._pipe = start_process(_main, (work,), name=name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def poll(self, timeout: float = 0.0) -> list[Done | Found[T] | Failed]:
        """What has come; waits up to `timeout` seconds for a first message. Its death is a Failed."""
        messages: list[Done | Found[T] | Failed] = []
        try:
            while self._pipe.poll(0.0 if messages else timeout):
                messages.append(pickle.loads(self._pipe.recv_bytes()))
        except (EOFError, OSError):
            if not any(isinstance(message, Found | Failed) for message in messages):
                messages.append(Failed(detail=f"its process {self._cause_of_death()}"))
        return messages

    def wait(self, tell: Callable[[Done], None]) -> Found[T] | Failed:
        """What it comes to; `tell` hears several times a second how far it is, and a Ctrl+C is heard."""
        done = Done(0.0, "starting")
        while True:
            for message in self.poll(timeout=0.2):
                if not isinstance(message, Done):
                    return message
                done = message
            tell(done)

    def close(self) -> None:
        """Stop it if it still runs. Safe to repeat."""
        self._pipe.close()  # tells it to stop
        self._process.join(_STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(_STOP_SECONDS)

    def _cause_of_death(self) -> str:
        self._process.join(_STOP_SECONDS)
        code = self._process.exitcode
        return f"was ended by {signal.Signals(-code).name}" if code is not None and code < 0 else "has died"


def _main(work: Callable[[Tell], object], pipe: Connection) -> None:
    """The process: do the work, tell how far it is, hand over what it found."""
    settle_process(Path(os.devnull))
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    teller = _Teller(pipe)
    teller.send(come_to(lambda: work(teller.tell)))


def come_to(work: Callable[[], T]) -> Found[T] | Failed:
    """What a piece of work comes to: whatever it was, who waits for it must hear of it."""
    try:
        return Found(work())
    except SettingsError as error:
        return Failed(detail=str(error), is_wrong_call=True)
    except WorkError as error:
        return Failed(detail=str(error), traceback=error.traceback, is_wrong_call=error.is_wrong_call)
    except Exception as error:
        return Failed(detail=f"{type(error).__name__}: {error}", traceback=traceback.format_exc())


def _end_with(pipe: Connection) -> None:
    """Nobody writes to this end: what comes is the end of the pipe, and of whoever wants the result."""
    with contextlib.suppress(EOFError, OSError):
        pipe.recv_bytes()
    os._exit(1)


class _Teller:
    """The process's end of the pipe."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._next = 0.0

    def tell(self, share: float, what: str) -> None:
        """How far it is, not too often."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _TOLD_EVERY
            self.send(Done(share, what))

    def send(self, message: Done | Found[object] | Failed) -> None:
        with contextlib.suppress(OSError):  # nobody is there any more: the listening thread ends us
            self._pipe.send_bytes(pickle.dumps(message))
