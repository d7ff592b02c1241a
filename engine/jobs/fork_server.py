"""Starts the fork server, which imports torch once, and the processes that are forked from it."""

import contextlib
import multiprocessing as mp
import os
import signal
import sys
import tempfile
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
"""The module that the server imports; only its name is used here."""
_COMPILER: Final = "torch._dynamo"
"""The module that torch.optim imports with its first optimiser: see training/optimizer.py."""
_ROOT: Final = Path(__file__).resolve().parents[2]
"""The directory from which the package `engine` is imported."""
HAS_FORK_SERVER: Final = "forkserver" in mp.get_all_start_methods()

_LONGEST_TEMPORARY: Final = 70
"""Bytes of a temporary directory in which a socket's address has room, which is 103 on macOS."""

_owner: int | None = None
"""The process that started the server. A fork of it has no access to the server."""
_starting = threading.Lock()
"""Held while a process is started, so that processes start in the order of the requests."""
_preparing = threading.Lock()
"""Held while stdout and stderr are redirected or the environment is changed."""


def warm_up(output: int | None = None, *, with_compiler: bool = False) -> None:
    """Start the fork server, its output going to file `output`; return while it imports torch.

    `with_compiler` also imports what torch needs for the optimisers that a user's code may create,
    once in the server instead of in each worker.

    Call this before a terminal program takes over the screen, unless that program writes to a
    separate file descriptor: the server and its resource tracker keep the stdout and stderr with
    which they were started.
    """
    if not HAS_FORK_SERVER:
        return
    forkserver.set_forkserver_preload([_PRELOAD, _COMPILER] if with_compiler else [_PRELOAD])
    with _preparing, output_redirected(output), _working_directory_off_path():
        # Before SIGINT is blocked, since starting Python 3.11's tracker unblocks it in this thread.
        with _blocked(signal.SIGHUP, signal.SIGUSR1):
            _ensure_tracker()
        with _blocked(signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGTERM):
            _ensure_server()


def is_started() -> bool:
    """True if this process has started the fork server."""
    return _owner is not None


def start_process(
    main: Callable[..., None], arguments: tuple[Any, ...], *, name: str
) -> tuple[BaseProcess, Connection]:
    """Start a process that calls `main(*arguments, pipe)`; blocks until torch is imported.

    Returns the process and the parent's end of its pipe.
    """
    has_server = HAS_FORK_SERVER and _owner in (None, os.getpid())
    context = mp.get_context("forkserver") if has_server else mp.get_context("spawn")
    if has_server:
        with _preparing, _working_directory_off_path():
            _ensure_tracker()
            _ensure_server()  # restarts it if it has died
    ours, theirs = context.Pipe()
    process = context.Process(target=main, args=(*arguments, theirs), name=name)
    try:
        # A thread cannot change the signal mask of other threads. SIGINT during a restart of the
        # fork server can therefore print a traceback to its output file, but does no other harm.
        with _starting:
            process.start()
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, ours


def _ensure_server() -> None:
    global _owner
    with _room_for_socket():
        forkserver.ensure_running()
    _owner = os.getpid()


@contextlib.contextmanager
def _room_for_socket() -> Iterator[None]:
    """Let the server's socket lie in /tmp if TMPDIR is too long, as that of a batch job may be."""
    before = tempfile.tempdir
    if len(os.fsencode(tempfile.gettempdir())) > _LONGEST_TEMPORARY:
        tempfile.tempdir = "/tmp"
    try:
        yield
    finally:
        tempfile.tempdir = before


def _ensure_tracker() -> None:
    """Start multiprocessing's resource tracker unless it is running.

    It inherits the file of sys.stderr, and starting it fails if sys.stderr has no file, as while a
    terminal program is running.
    """
    with contextlib.ExitStack() as stack:
        if not _has_file(sys.stderr):
            nowhere = stack.enter_context(Path(os.devnull).open("w"))
            stack.enter_context(contextlib.redirect_stderr(nowhere))
        resource_tracker.ensure_running()


@contextlib.contextmanager
def _working_directory_off_path() -> Iterator[None]:
    """Keep the working directory off sys.path of the server and the tracker.

    Both are started with `python -c`, which looks for modules in the working directory first. A
    user's directory `engine` or file `random.py` there would be imported instead of gdtui's or
    Python's modules.
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
def _blocked(*signals: signal.Signals) -> Iterator[None]:
    """Block these signals during the block, and for good in a process that it starts.

    Without this, a terminal that hangs up would end the fork server, while its workers go on; so
    would a job scheduler that signals all processes of a job before it ends them. And Python 3.11's
    fork server imports modules before it ignores SIGINT; Ctrl+C in between would print a traceback.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
