"""Starts processes: the fork server that imports torch once, and all that are forked from it."""

import contextlib
import multiprocessing as mp
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from engine.jobs.child_side import SAFE_PATH, SAFE_PATH_OURS
from engine.jobs.output import output_redirected

_PRELOAD: Final = "engine.worker.preload"
"""The server's imports, by name alone: nothing of them is imported here."""
_COMPILER: Final = "torch._dynamo"
"""Modules that torch.optim imports with its first optimiser: see training/optimizer.py."""
_ROOT: Final = Path(__file__).resolve().parents[2]
"""The directory that the package `engine` is imported from."""
HAS_FORK_SERVER: Final = "forkserver" in mp.get_all_start_methods()

_starting = threading.Lock()
"""Held while a process is started, so that they begin in the order in which they were wanted."""
_preparing = threading.Lock()
"""Held for the moment in which stdout and stderr are somebody else's."""


def warm_up(output: int | None = None, *, with_compiler: bool = False) -> None:
    """Start the fork server, its output going to that file; return while it imports torch.

    `with_compiler`: a user's code may make optimisers; better that is imported once than in each
    worker.

    Call it before a terminal program takes the screen, or where that writes to a file descriptor of
    its own: the server and its resource tracker keep the stdout and stderr that they were started
    with.
    """
    if not HAS_FORK_SERVER:
        return
    forkserver.set_forkserver_preload([_PRELOAD, _COMPILER] if with_compiler else [_PRELOAD])
    with _preparing, output_redirected(output), _working_directory_off_path():
        # First, and by itself: once started, Python 3.11's tracker unblocks SIGINT for this thread.
        _ensure_tracker()
        with _sigint_blocked():
            forkserver.ensure_running()


def start_process(
    main: Callable[..., None], arguments: tuple[Any, ...], *, name: str
) -> tuple[BaseProcess, Connection]:
    """Start a process that calls `main(*arguments, pipe)`; blocks until torch is imported.

    Returns the process and our end of its pipe.
    """
    context = mp.get_context("forkserver") if HAS_FORK_SERVER else mp.get_context("spawn")
    if HAS_FORK_SERVER:
        with _preparing, _working_directory_off_path():
            _ensure_tracker()
            forkserver.ensure_running()  # again, if it has died
    ours, theirs = context.Pipe()
    process = context.Process(target=main, args=(*arguments, theirs), name=name)
    try:
        # A thread may not change the signal mask of the others: SIGINT during a restart of the fork
        # server can print a traceback into the server's output file, and does no more harm.
        with _starting:
            process.start()
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, ours


def _ensure_tracker() -> None:
    """Start multiprocessing's resource tracker, if it does not run.

    It is handed sys.stderr's file, and fails where that has none, as while a terminal program runs.
    """
    with contextlib.ExitStack() as stack:
        if not _has_file(sys.stderr):
            nowhere = stack.enter_context(Path(os.devnull).open("w"))
            stack.enter_context(contextlib.redirect_stderr(nowhere))
        resource_tracker.ensure_running()


@contextlib.contextmanager
def _working_directory_off_path() -> Iterator[None]:
    """Both are started with `python -c`, which looks for modules in the working directory first.

    A folder `engine` or a file `random.py` of the user's there would be taken for ours, or for
    Python's.
    """
    before = os.environ.get(SAFE_PATH, "")
    if before or _is_working_directory(_ROOT):
        yield
        return
    os.environ[SAFE_PATH] = SAFE_PATH_OURS
    try:
        yield
    finally:
        del os.environ[SAFE_PATH]


def _is_working_directory(path: Path) -> bool:
    try:
        return path.samefile(".")
    except OSError:
        return False


def _has_file(stream: object) -> bool:
    try:
        return stream.fileno() >= 0  # type: ignore[attr-defined, no-any-return]
    except (AttributeError, OSError, ValueError):
        return False


@contextlib.contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Hold SIGINT back.

    Python 3.11's fork server imports before it ignores SIGINT: Ctrl+C would print its traceback.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
