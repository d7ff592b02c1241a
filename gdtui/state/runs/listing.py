"""The list of stored runs with their hosts, as `gdtui runs` shows it once or again and again."""

import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from engine.log.directory import RunDirectory, RunDirectoryError
from gdtui.state.runs.hosts import HostState, host_of
from gdtui.state.stored_runs import (
    RunKind,
    RunState,
    StoredRun,
    described,
    end_state_of,
    run_folders,
)

Signature = tuple[tuple[str, int, int], ...]
"""Name, size and time of change of each file of a run."""


class ListedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A stored run or sweep, and its host if it is training."""

    run: StoredRun
    host: HostState | None = None


class RunList:
    """The runs below some folders; reads again only those whose files have changed."""

    def __init__(self, *roots: Path) -> None:
        self._roots = roots
        self._known: dict[Path, tuple[Signature, StoredRun | None]] = {}

    def read(self) -> list[ListedRun]:
        """The runs, the newest first."""
        found = [self._read(path) for root in self._roots for path in run_folders(root)]
        runs = sorted((run for run in found if run), key=lambda run: run.created, reverse=True)
        return [_with_host(run) for run in runs]

    def _read(self, path: Path) -> StoredRun | None:
        signature = _signature(path)
        if (known := self._known.get(path)) is not None:
            before, run = known
            if before == signature and (run is None or not _may_change(run)):
                return run
        run = described(path)
        self._known[path] = signature, run
        return run


def _may_change(run: StoredRun) -> bool:
    """True for a run that is training, and for a sweep, whose runs lie in other directories."""
    return run.state is RunState.RUNNING or run.kind is RunKind.SWEEP


def _with_host(run: StoredRun) -> ListedRun:
    """The run with its host; if that only waits for commands, in the state in which it ended."""
    host = host_of(run.path) if run.state is RunState.RUNNING else None
    if host is not None and host.has_ended:
        with contextlib.suppress(RunDirectoryError):
            state = end_state_of(RunDirectory.open(run.path), is_closed=False)
            return ListedRun(run=replace(run, state=state), host=host)
    return ListedRun(run=run, host=host)


def _signature(path: Path) -> Signature:
    try:
        with os.scandir(path) as files:
            found = [(each.name, each.stat(follow_symlinks=False)) for each in files]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in found))


def document(listed: ListedRun) -> dict[str, Any]:
    """The run as an object of the JSON document."""
    host = listed.host
    return {
        "path": listed.run.run_dir,
        **msgspec.to_builtins(listed.run),
        "host": None if host is None else host.host,
        "pid": None if host is None else host.pid,
        "viewers": None if host is None else host.viewers,
    }
