"""Runs an experiment in a process of its own: what travels over its pipe, and both ends of it.

Importing this loads no torch: only the process that runs the experiment needs it.
"""

import contextlib
import os
import signal
import threading
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from engine import experiments
from engine.experiments.report import Report
from engine.launch import start_process, warm_up
from engine.settings import SettingsError
from engine.worker import settle_process

_TOLD_EVERY: Final = 0.05
"""Seconds between two messages on how far it is, at least."""
_STOP_SECONDS: Final = 1.0


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to run, and how."""

    name: str
    seeds: tuple[int, ...]
    device: str
    threads: int


class Done(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How far it is."""

    share: float
    """0 to 1."""
    what: str


class Found(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It is over."""

    report: Report


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It is over, without a report."""

    detail: str
    traceback: str = ""
    is_wrong_call: bool = False
    """The user asked for what is not there: a device, a package; nothing broke."""


Message = Done | Found | Failed
_MESSAGE: Final = msgspec.msgpack.Decoder(Message)


class Running:
    """An experiment that runs elsewhere. Close it, and nothing of it is left."""

    def __init__(self, task: Task) -> None:
        """Start it; blocks until torch is imported, unless the server of workers runs already."""
        warm_up(Path(os.devnull))
        self._process, self._pipe = start_process(_main, (task,), name=task.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def poll(self, timeout: float = 0.0) -> list[Message]:
        """What has come; waits up to `timeout` seconds for a first message. Its death is a Failed."""
        messages: list[Message] = []
        try:
            while self._pipe.poll(0.0 if messages else timeout):
                messages.append(_MESSAGE.decode(self._pipe.recv_bytes()))
        except (EOFError, OSError):
            if not any(isinstance(message, Found | Failed) for message in messages):
                messages.append(Failed(detail=f"its process {self._cause_of_death()}"))
        return messages

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


def _main(task: Task, pipe: Connection) -> None:
    """The process: run the experiment, tell how far it is, hand over what it found."""
    settle_process(Path(os.devnull))
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    teller = _Teller(pipe)
    try:
        report = _run(task, teller)
    except SettingsError as error:
        teller.send(Failed(detail=str(error), is_wrong_call=True))
    except Exception as error:  # whatever it was, the other end must hear of it
        teller.send(Failed(detail=f"{type(error).__name__}: {error}", traceback=traceback.format_exc()))
    else:
        teller.send(Found(report=report))


def _run(task: Task, teller: "_Teller") -> Report:
    import torch

    from engine.devices import find_device

    torch.set_num_threads(task.threads)
    began = time.monotonic()
    report = experiments.run(task.name, task.seeds, find_device(task.device), teller.tell)
    return msgspec.structs.replace(report, seconds=time.monotonic() - began)


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
            self.send(Done(share=share, what=what))

    def send(self, message: Message) -> None:
        with contextlib.suppress(OSError):  # nobody is there any more: the listening thread ends us
            self._pipe.send_bytes(msgspec.msgpack.encode(message))
