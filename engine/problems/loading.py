"""Has a process of its own load a problem, before a run is begun. Imports no torch, runs no user's file."""

import contextlib
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final

import msgspec

from engine.jobs.fork_server import start_process
from engine.problem import ProblemError
from engine.problems import loader
from engine.problems.error_messages import shown
from engine.problems.user_file import file_of
from engine.settings import SettingsError
from engine.worker.tasks import Loaded, LoadFailed, LoadTask

_LOOK_SECONDS: Final = 0.05
_JOIN_SECONDS: Final = 2.0


class LoadingError(ProblemError):
    """A problem that could not be loaded; `traceback` is of the process that tried."""

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback


def load(task: LoadTask, is_wanted: Callable[[], bool] = lambda: True) -> Loaded:
    """What the problem is; blocks until it is loaded. Raises LoadingError, whose message says what is wrong.

    `is_wanted`: asked a few times a second; SettingsError when loading is given up.
    """
    try:
        process, pipe = start_process(loader.main, (task,), name="loader")
    except Exception as error:  # whatever multiprocessing throws
        raise LoadingError(f"the process that loads problems could not be started ({error})") from None
    try:
        while not pipe.poll(_LOOK_SECONDS):
            if not is_wanted():
                raise SettingsError("given up")
        return _answer(task, process, pipe)
    finally:
        pipe.close()
        process.join(_JOIN_SECONDS)
        if process.is_alive():
            process.kill()
            process.join(_JOIN_SECONDS)


def _answer(task: LoadTask, process: BaseProcess, pipe: Connection) -> Loaded:
    note: object = None
    with contextlib.suppress(EOFError, OSError):
        note = msgspec.msgpack.decode(pipe.recv_bytes(), type=Loaded | LoadFailed)
    match note:
        case Loaded():
            return note
        case LoadFailed():
            raise LoadingError(note.detail, note.traceback)
    time.sleep(_LOOK_SECONDS)
    process.join(_JOIN_SECONDS)
    code = process.exitcode
    cause = (
        f"was ended by {signal.Signals(-code).name}" if code is not None and code < 0 else "ended by itself"
    )
    file = file_of(task.problem)
    name = task.problem if file is None else shown(file)
    raise LoadingError(f"{name}: the process that loaded it {cause}, without a word")
