"""Removal of stored runs: deletes only a run's files, and none of a run that is still going."""

import contextlib
import errno
import os
import time
from pathlib import Path
from typing import Final

from engine.experiments.directory import ExperimentDirectory, is_experiment, remove_experiment
from engine.log.directory import (
    EXPERIMENT_FILE,
    LOG_SUFFIX,
    RUN_FILE,
    NewerFormatError,
    RunDirectory,
    RunDirectoryError,
    data_path,
)
from engine.log.filesystem.holding import is_locked
from engine.log.filesystem.removal import remove_files
from engine.log.format import CHECKPOINTS
from engine.sweep.directory import SweepDirectory, check_sweep_file, remove_sweep_file, sweep_file
from gdtui.state.stored.own_files import own_names
from gdtui.state.stored_runs import (
    RunKind,
    StoredRun,
    arm_paths,
    holds_run,
    is_in_use,
    is_running,
    is_sweep,
    never_began,
)

_END_SECONDS: Final = 5.0
"""Seconds that workers may take to close their logs after their host was killed."""


def remove(path: Path) -> None:
    """Remove a run's files, and its directory if nothing else is in it.

    Raises OSError. Raises UnsafeFileError, before anything is removed, if the directory or a file
    has been replaced by a link, since the link's target is not part of the run. Raises
    PermissionError if a log may not be read, since then a process may still be writing it.
    """
    is_own = own_names(path)
    for log in path.glob(f"*{LOG_SUFFIX}"):
        if is_own(log.name) and not os.access(log, os.R_OK, follow_symlinks=False):
            raise PermissionError(errno.EACCES, f"no permission to read {log.name}", str(log))
    folders = (data_path(path).name, CHECKPOINTS)
    remove_files(path, is_own, folders=folders, last=RUN_FILE)


def discard(path: Path) -> None:
    """Remove what this process has created there, as far as possible."""
    with contextlib.suppress(OSError):
        remove(path.resolve())


def remove_cut_short(path: Path) -> None:
    """Remove a run that was cut short; RunDirectoryError if it is being trained, or stays."""
    deadline = time.monotonic() + _END_SECONDS
    while not has_ended(path):
        if time.monotonic() > deadline:
            raise RunDirectoryError(f"{path} is still being trained by another process", path)
        time.sleep(_END_SECONDS / 100)
    try:
        remove(path)
    except OSError as error:
        raise RunDirectoryError(f"cannot remove {path}: {error.strerror}", path) from None


def discard_new(run: RunDirectory) -> None:
    """Remove a run that has just begun, as far as possible; one that goes on is kept."""
    from engine.session.past import ResumedRun  # numpy, which attaching does without at first

    if not isinstance(run, ResumedRun):
        discard(run.path)


def remove_stored(run: StoredRun) -> bool:
    """Remove a run's or a whole sweep's files; False if it is running again, and is kept.

    Raises OSError.
    """
    if not has_ended(run.path):
        return False
    if run.kind is RunKind.EXPERIMENT:
        remove_experiment(run.path)
    elif run.kind is RunKind.SWEEP:
        check_sweep_file(run.path)
        for arm in arm_paths(run.path):
            remove(arm)
        remove_sweep_file(run.path)
    else:
        remove(run.path)
    return True


def has_ended(path: Path) -> bool:
    """Check again before the removal, since the user may have taken a while to confirm."""
    if is_sweep(path):
        return _has_sweep_ended(path)
    if is_experiment(path):
        return _has_experiment_ended(path)
    try:
        return not is_running(RunDirectory.open(path))
    except NewerFormatError:
        return False
    except RunDirectoryError:
        return not is_in_use(path) if holds_run(path) else never_began(path)


def _has_experiment_ended(path: Path) -> bool:
    try:
        return not ExperimentDirectory.open(path).is_running
    except NewerFormatError:
        return False
    except RunDirectoryError:
        return not is_locked(path / EXPERIMENT_FILE)


def _has_sweep_ended(path: Path) -> bool:
    try:
        SweepDirectory.open(path)
    except NewerFormatError:
        return False
    except RunDirectoryError:
        pass  # it is damaged, and may be removed
    return not is_locked(sweep_file(path)) and all(map(has_ended, arm_paths(path)))
