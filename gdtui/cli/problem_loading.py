"""Loads a problem in a separate process before its run begins, with a note on the terminal.

Leaves nothing behind if the problem cannot be loaded.
"""

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final, Protocol

from engine.jobs.fork_server import warm_up
from engine.log.directory import RunDirectory, reserved, server_output
from engine.log.filesystem.private import PrivateDirectory
from engine.log.filesystem.safe_open import output_opened
from engine.problems.loader import AUDIT_SECONDS, Loaded, LoadTask
from engine.problems.loading import LoadingError, load
from engine.problems.user_file import is_file
from engine.settings import DataSettings
from gdtui.cli.exit_codes import signal_status
from gdtui.state.runs.removal import discard

_THREADS: Final = 1


class LoadProblem(Protocol):
    """Loads a problem; see engine.problems.loading.load."""

    def __call__(self, task: LoadTask, *, with_compiler: bool) -> Loaded: ...


def load_problem(
    problem: str,
    data: DataSettings | None,
    seed: int,
    device: str,
    run: Path,
    *,
    audit_seconds: float = AUDIT_SECONDS,
    load_with: LoadProblem | None = None,
) -> tuple[Loaded, PrivateDirectory]:
    """Load the problem for the run about to begin, and store what its workers need.

    `load_with`: loads it in another process's fork server; None: in that of this process.
    `audit_seconds`: time limit for the audit of its loss, which uses fewer samples to keep to it.

    Raises engine.problems.loading.LoadingError for a problem that cannot be loaded,
    RunDirectoryError for a directory that cannot be used.
    """
    with reserved(run), _ending_in_order(), _handover_for(run) as handover:
        task = LoadTask(
            problem=problem,
            seed=seed,
            device=device.split(",")[0],
            threads=_THREADS,
            data=data,
            stored=str(handover.path),
            output=str(server_output(run)),
            audit_seconds=audit_seconds,
        )
        with _saying(f"loading {Path(problem if data is None else data.path).name}…"):
            return (load_with or _load)(task, with_compiler=is_file(problem)), handover


def _load(task: LoadTask, *, with_compiler: bool) -> Loaded:
    # Opened again, since what the server inherits must not hold the lock.
    with output_opened(Path(task.output)) as output:
        warm_up(output, with_compiler=with_compiler)
    return load(task)


def reload_problem(run: RunDirectory, load_with: LoadProblem | None = None) -> PrivateDirectory:
    """Load the problem of a run that goes on; nothing of the run is removed if that fails.

    `load_with`: as for `load_problem`. Raises LoadingError.
    """
    settings, path = run.info.settings, run.path
    with contextlib.ExitStack() as if_failed, _ending_in_order():
        handover = _new_handover()
        if_failed.callback(handover.remove)
        task = LoadTask(
            problem=settings.problem,
            seed=settings.seed,
            device=settings.device_of(0),
            threads=_THREADS,
            data=settings.data,
            stored=str(handover.path),
            output=str(server_output(path)),
        )
        with _saying(f"loading {settings.title}…"):
            (load_with or _load)(task, with_compiler=is_file(settings.problem))
        if_failed.pop_all()
        return handover


def _new_handover() -> PrivateDirectory:
    try:
        return PrivateDirectory()
    except OSError as error:
        raise LoadingError(
            f"cannot make a directory for the data: {error.strerror}; choose another place "
            "with TMPDIR=DIR"
        ) from None


@contextlib.contextmanager
def _handover_for(run: Path) -> Iterator[PrivateDirectory]:
    """Make the directory for what is found; remove everything created if the loading fails."""
    with contextlib.ExitStack() as if_failed:
        if_failed.callback(discard, run)
        handover = _new_handover()
        if_failed.callback(handover.remove)
        yield handover
        if_failed.pop_all()


@contextlib.contextmanager
def _ending_in_order() -> Iterator[None]:
    """Turn a signal that would end the program at once into an exception meanwhile."""

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(signal_status(number))

    before: dict[signal.Signals, Any] = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
            before[number] = signal.signal(number, leave)
    if signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:  # there is nothing to checkpoint yet
        before[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        yield
    finally:
        for changed, handler in before.items():
            signal.signal(changed, handler)


@contextlib.contextmanager
def _saying(text: str) -> Iterator[None]:
    """A line on the terminal while the block runs; nothing if there is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    sys.stderr.write(text)
    sys.stderr.flush()
    try:
        yield
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
