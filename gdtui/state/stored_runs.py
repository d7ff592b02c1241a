"""The stored runs: their size and state, and the removal of one's files.

Removes only files that a run is made of, and never those of a run that is still going.
"""

import contextlib
import fcntl
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from engine.log.directory import (
    LOG_SUFFIX,
    RUN_FILE,
    SUFFIXES,
    NewerFormatError,
    RunDirectory,
    RunDirectoryError,
    data_path,
    server_output,
)
from engine.log.filesystem.removal import remove_files, size_of
from engine.log.filesystem.safe_open import UnsafeFileError, opened
from engine.log.follow import Follower
from engine.log.records import State
from engine.log.summary import Tally

_STARTING_SECONDS: Final = 60.0
"""Seconds for which a run without a session log counts as about to start."""


class RunState(StrEnum):
    """The state of a stored run."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    ENDED_EARLY = "ended early"
    DAMAGED = "damaged"
    NEVER_BEGAN = "never began"
    """Its loader was killed."""
    NEWER_FORMAT = "newer format"
    """Only a later gdtui can read it."""

    @property
    def is_kept(self) -> bool:
        """True where removing all ended runs must leave it alone: it trains, or it may."""
        return self in (RunState.RUNNING, RunState.NEWER_FORMAT)


class StoredRun(msgspec.Struct, frozen=True, kw_only=True):
    """A stored run, as listed."""

    run_dir: str
    created: float
    """Seconds since the Unix epoch."""
    problem: str
    variants: tuple[str, ...]
    bytes: int
    state: RunState

    @property
    def path(self) -> Path:
        return Path(self.run_dir)


def stored_runs(root: Path) -> list[StoredRun]:
    """The runs below `root`, the newest first."""
    try:
        folders = [path for path in root.iterdir() if path.is_dir() and not path.is_symlink()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    runs = [
        _describe(path) for path in folders if (path / "run.json").exists() or never_began(path)
    ]
    return sorted(runs, key=lambda run: run.created, reverse=True)


def state_of(run: RunDirectory) -> RunState:
    """The state of the run by its files and locks."""
    if is_running(run):
        return RunState.RUNNING
    tallies = {
        variant.name: Tally(variant.name, variant.settings)
        for variant in run.info.settings.variants
    }
    follower = Follower(run)
    while records := list(follower.read()):
        for name, record in records:
            if name in tallies:
                tallies[name].add(record)
    states = {tally.state for tally in tallies.values()}
    if follower.damage:
        return RunState.DAMAGED
    if follower.unfinished():
        return RunState.ENDED_EARLY
    if any(state.is_broken for state in states):
        return RunState.FAILED
    return RunState.FINISHED if states <= {State.FINISHED, State.DIVERGED} else RunState.STOPPED


def is_running(run: RunDirectory) -> bool:
    """True while somebody writes the run's logs, or is about to."""
    if not run.session_log.exists():
        return 0 <= time.time() - run.info.created < _STARTING_SECONDS
    logs = [run.session_log, *(run.path / log for log in run.info.logs)]
    return any(map(_is_locked, logs))


def never_began(path: Path) -> bool:
    """True for a directory left by a gdtui that was killed while loading a problem."""
    touched = []
    for trace in (server_output(path), data_path(path)):
        with contextlib.suppress(OSError):  # it may be vanishing
            touched.append(trace.stat().st_mtime)
    if not touched or time.time() - max(touched) < _STARTING_SECONDS:
        return False
    return not ((path / "run.json").exists() or _is_locked(server_output(path)))


def remove(path: Path) -> None:
    """Remove a run's files, and its directory if nothing else is in it.

    Raises OSError, and UnsafeFileError before anything is removed where a link has the place of the
    directory or of a file: what it leads to is no part of a run.
    """
    remove_files(path, _names_of(path), folder=data_path(path).name, last=RUN_FILE)


def discard(path: Path) -> None:
    """Remove what this process itself has begun there, as far as that can be removed."""
    with contextlib.suppress(OSError):
        remove(path.resolve())


def _describe(path: Path) -> StoredRun:
    size = size_of(path, _names_of(path), data_path(path).name)
    try:
        run = RunDirectory.open(path)
    except RunDirectoryError as error:
        return StoredRun(
            run_dir=str(path),
            created=path.stat().st_mtime,
            problem="–",
            variants=(),
            bytes=size,
            state=_state_of_unreadable(path, error),
        )
    return StoredRun(
        run_dir=str(path),
        created=run.info.created,
        problem=run.info.settings.title,
        variants=tuple(variant.name for variant in run.info.settings.variants),
        bytes=size,
        state=state_of(run),
    )


def _state_of_unreadable(path: Path, error: RunDirectoryError) -> RunState:
    if isinstance(error, NewerFormatError):
        return RunState.NEWER_FORMAT
    return RunState.DAMAGED if (path / "run.json").exists() else RunState.NEVER_BEGAN


def has_ended(path: Path) -> bool:
    """Check again before the removal: the user may have taken a while to say yes."""
    try:
        return not is_running(RunDirectory.open(path))
    except NewerFormatError:
        return False
    except RunDirectoryError:
        return (path / "run.json").exists() or never_began(path)


def _names_of(path: Path) -> Callable[[str], bool]:
    """True for the names of the run's own files; the user may have put others beside them."""
    logs: set[str] = set()
    with contextlib.suppress(RunDirectoryError):
        logs.update(Path(log).stem for log in RunDirectory.open(path).info.logs)
    with contextlib.suppress(OSError):
        logs.update(log.stem for log in path.glob(f"*{LOG_SUFFIX}"))
    alone = {RUN_FILE, server_output(path).name}

    def is_own(name: str) -> bool:
        file = Path(name)
        return name in alone or (file.suffix in SUFFIXES and file.stem in logs)

    return is_own


def _is_locked(log: Path) -> bool:
    try:
        with opened(log) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (FileNotFoundError, UnsafeFileError):
        return False
    return False
