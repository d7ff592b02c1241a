"""The stored runs, sweeps and experiments with size and state, whatever their directories contain.

A sweep is one entry, with its arms below it. What cannot be read is listed as damaged.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from engine.experiments.directory import (
    ExperimentDirectory,
    is_experiment,
    is_experiment_file,
)
from engine.log.directory import (
    LOG_SUFFIX,
    RUN_FILE,
    NewerFormatError,
    RunDirectory,
    RunDirectoryError,
    data_path,
    server_output,
)
from engine.log.filesystem.holding import is_held, is_locked
from engine.log.filesystem.removal import size_of
from engine.log.filesystem.safe_open import is_present
from engine.log.follow import Follower
from engine.log.format import CHECKPOINTS
from engine.log.records import State
from engine.sweep.directory import SweepDirectory, is_sweep_file, sweep_file
from gdtui.state.stored.own_files import own_names
from gdtui.state.stored.progress import RunProgress, progress_of, progress_of_arms

if TYPE_CHECKING:
    from engine.log.summary import Tally


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
        """True if the removal of ended runs must skip it: it is training, or may be."""
        return self in (RunState.RUNNING, RunState.NEWER_FORMAT)


class RunKind(StrEnum):
    """The kind of an entry in the list of stored runs."""

    RUN = "run"
    SWEEP = "sweep"
    EXPERIMENT = "experiment"


class StoredRun(msgspec.Struct, frozen=True, kw_only=True):
    """A listed run, or a listed sweep with the runs of its arms."""

    kind: RunKind = RunKind.RUN
    run_dir: str
    created: float
    """Seconds since the Unix epoch."""
    problem: str
    variants: tuple[str, ...]
    bytes: int
    state: RunState
    arms: tuple["StoredRun", ...] = ()
    """The runs of a sweep, in the sweep's order."""
    progress: RunProgress | None = None
    """How far it got; None while it is training, or if it cannot be read."""
    checkpoint_bytes: int = 0
    """The part of `bytes` that checkpoints take; 0 for a sweep, whose arms have them."""
    verdict: str = ""
    """The verdict of an experiment; empty until it has ended."""

    @property
    def path(self) -> Path:
        return Path(self.run_dir)


def stored_runs(*roots: Path) -> list[StoredRun]:
    """The runs and sweeps below these folders, newest first."""
    found = (described(path) for root in roots for path in run_folders(root))
    runs = [run for run in found if run is not None]
    return sorted(runs, key=lambda run: run.created, reverse=True)


def described(path: Path) -> StoredRun | None:
    """The run, sweep or experiment there, damaged if it cannot be read; None if there is none."""
    try:
        if is_sweep(path):
            return _describe_sweep(path)
        if is_experiment(path):
            return _describe_experiment(path)
        if holds_run(path) or never_began(path):
            return _describe(path)
    except OSError:
        return _unreadable(path, RunState.DAMAGED)
    return None


def run_folders(path: Path) -> list[Path]:
    """The directories there, without links; empty if the folder cannot be read."""
    try:
        with os.scandir(path) as found:
            return [Path(each) for each in found if each.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def is_sweep(path: Path) -> bool:
    """True for the directory of a sweep."""
    return is_present(sweep_file(path))


def state_of(run: RunDirectory) -> RunState:
    """The state of the run, judged by its files and locks."""
    return RunState.RUNNING if is_running(run) else RunReader(run).end_state()


class RunReader:
    """Reads the logs of a run, as far as they go at each call, into the tallies of its variants."""

    def __init__(self, run: RunDirectory) -> None:
        from engine.log.summary import Tally  # numpy, which connecting to a host does without

        variants = run.info.settings.variants
        self._tallies = {each.name: Tally(each.name, each.settings) for each in variants}
        self._follower = Follower(run)

    @property
    def tallies(self) -> "list[Tally]":
        """The tallies of the variants, as far as the logs were read."""
        return [*self._tallies.values()]

    def progress(self) -> RunProgress:
        """How far the run has got by now."""
        self._read()
        return progress_of(self.tallies)

    def end_state(self, *, is_closed: bool = True) -> RunState:
        """The state in which it ended. `is_closed` False: its host has not closed the logs yet."""
        self._read()
        states = {tally.state for tally in self._tallies.values()}
        if self._follower.damage:
            return RunState.DAMAGED
        if is_closed and self._follower.unfinished():
            return RunState.ENDED_EARLY
        if any(state.is_broken for state in states):
            return RunState.FAILED
        return RunState.FINISHED if states <= {State.FINISHED, State.DIVERGED} else RunState.STOPPED

    def _read(self) -> None:
        while True:
            for name, part in self._follower.portions(1 << 20):
                self._tallies[name].add(part)
            if not self._follower.has_more:
                return


def is_running(run: RunDirectory) -> bool:
    """True while a process writes the run's logs, or is about to."""
    return is_in_use(run.path, *(run.path / log for log in run.info.logs))


def is_in_use(path: Path, *logs: Path) -> bool:
    """True while a process holds the directory, or writes these logs or any others found there."""
    if is_held(path):
        return True
    return any(map(is_locked, {*logs, *path.glob(f"*{LOG_SUFFIX}")}))


def holds_run(path: Path) -> bool:
    """True if there is a run, or the logs of one whose run.json is gone."""
    return is_present(path / RUN_FILE) or any(path.glob(f"*{LOG_SUFFIX}"))


def never_began(path: Path) -> bool:
    """True for a directory left by a gdtui that was killed while loading a problem."""
    output = server_output(path)
    if is_held(path) or is_locked(output):  # older versions hold no directory
        return False
    return not holds_run(path) and (is_present(output) or is_present(data_path(path)))


def _describe(path: Path) -> StoredRun:
    size = size_of(path, own_names(path), data_path(path).name, CHECKPOINTS)
    try:
        run = RunDirectory.open(path)
    except RunDirectoryError as error:
        return _unreadable(path, _state_of_unreadable(path, error), bytes=size)
    reader = None if is_running(run) else RunReader(run)
    return StoredRun(
        run_dir=str(path),
        created=run.info.created,
        problem=run.info.settings.title,
        variants=tuple(variant.name for variant in run.info.settings.variants),
        bytes=size,
        checkpoint_bytes=size_of(path, lambda name: False, CHECKPOINTS),
        state=RunState.RUNNING if reader is None else reader.end_state(),
        progress=None if reader is None else replace(reader.progress(), seconds_left=None),
    )


def _unreadable(path: Path, state: RunState, **known: Any) -> StoredRun:
    """A run about which only its directory and the facts in `known` are known."""
    try:
        created = max(path.lstat().st_mtime, 0.0)
    except OSError:  # it may be in the course of removal
        created = 0.0
    told = {"bytes": 0, **known}
    return StoredRun(
        run_dir=str(path), created=created, problem="–", variants=(), state=state, **told
    )


def _state_of_unreadable(path: Path, error: RunDirectoryError) -> RunState:
    if isinstance(error, NewerFormatError):
        return RunState.NEWER_FORMAT
    if is_in_use(path):
        return RunState.RUNNING
    return RunState.DAMAGED if holds_run(path) else RunState.NEVER_BEGAN


def _describe_sweep(path: Path) -> StoredRun:
    arms = tuple(arm for each in arm_paths(path) if (arm := described(each)) is not None)
    size = sum(arm.bytes for arm in arms) + size_of(path, is_sweep_file, data_path(path).name)
    try:
        sweep = SweepDirectory.open(path)
    except RunDirectoryError as error:
        is_newer = isinstance(error, NewerFormatError)
        state = RunState.NEWER_FORMAT if is_newer else RunState.DAMAGED
        return _unreadable(path, state, kind=RunKind.SWEEP, bytes=size, arms=arms)
    return StoredRun(
        kind=RunKind.SWEEP,
        run_dir=str(path),
        created=sweep.info.created,
        problem=sweep.info.settings.title,
        variants=tuple(name for arm in arms for name in arm.variants),
        bytes=size,
        state=_state_of_sweep(sweep, {arm.state for arm in arms}),
        arms=arms,
        progress=progress_of_arms(arm.progress for arm in arms),
    )


def _describe_experiment(path: Path) -> StoredRun:
    size = size_of(path, is_experiment_file, data_path(path).name)
    try:
        found = ExperimentDirectory.open(path)
    except RunDirectoryError as error:
        is_newer = isinstance(error, NewerFormatError)
        state = RunState.NEWER_FORMAT if is_newer else RunState.DAMAGED
        return _unreadable(path, state, kind=RunKind.EXPERIMENT, bytes=size)
    ended = RunState.FINISHED if found.info.verdict else RunState.ENDED_EARLY
    return StoredRun(
        kind=RunKind.EXPERIMENT,
        run_dir=str(path),
        created=found.info.created,
        problem=found.info.name,
        variants=(),
        bytes=size,
        state=RunState.RUNNING if found.is_running else ended,
        verdict=found.info.verdict,
    )


def arm_paths(path: Path) -> list[Path]:
    """The arms of a sweep that have begun; for a damaged sweep, all runs below it."""
    try:
        return SweepDirectory.open(path).arm_paths
    except RunDirectoryError:
        return [each for each in run_folders(path) if is_present(each / RUN_FILE)]


def _state_of_sweep(sweep: SweepDirectory, arms: set[RunState]) -> RunState:
    """The state of a sweep, from those of its arms; if it broke off, the worst of them."""
    if sweep.is_running or RunState.RUNNING in arms:
        return RunState.RUNNING
    if RunState.NEWER_FORMAT in arms:
        return RunState.NEWER_FORMAT
    worst = (RunState.DAMAGED, RunState.FAILED, RunState.ENDED_EARLY, RunState.STOPPED)
    if not sweep.info.is_complete:
        return next((state for state in worst if state in arms), RunState.ENDED_EARLY)
    return RunState.DAMAGED if RunState.DAMAGED in arms else RunState.FINISHED
