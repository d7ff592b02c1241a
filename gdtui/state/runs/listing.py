"""The list of stored runs with their hosts, as `gdtui runs` shows it once or again and again."""

import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from engine.log.directory import RunDirectory, RunDirectoryError
from gdtui.state.runs.hosts import HostState, host_of
from gdtui.state.stored.progress import RunProgress
from gdtui.state.stored_runs import (
    RunKind,
    RunReader,
    RunState,
    StoredRun,
    described,
    run_folders,
)

Signature = tuple[tuple[str, int, int], ...]
"""Name, size and time of change of each file of a run."""


class ListedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A stored run, sweep or experiment, and its host if it is under way."""

    run: StoredRun
    host: HostState | None = None

    @property
    def progress(self) -> RunProgress:
        """How far it has got."""
        return self.run.progress or RunProgress()


class RunList:
    """The runs below some folders; reads again only those whose files have changed."""

    def __init__(self, *roots: Path) -> None:
        self._roots = roots
        self._known: dict[Path, tuple[Signature, StoredRun | None]] = {}
        self._readers: dict[Path, RunReader] = {}
        """Of the runs that are training."""

    def read(self) -> list[ListedRun]:
        """The runs, the newest first."""
        found = [self._read(path) for root in self._roots for path in run_folders(root)]
        runs = sorted((run for run in found if run), key=lambda run: run.created, reverse=True)
        return [self._listed(run) for run in runs]

    def _read(self, path: Path) -> StoredRun | None:
        signature = _signature(path)
        if (known := self._known.get(path)) is not None:
            before, run = known
            if before == signature and (run is None or not _may_change(run)):
                return run
        run = described(path)
        self._known[path] = signature, run
        return run

    def _listed(self, run: StoredRun) -> ListedRun:
        """The run with its host; in its end state if the host only waits for commands."""
        if run.state is not RunState.RUNNING:
            self._readers.pop(run.path, None)
            return ListedRun(run=run)
        host = host_of(run.path)
        if run.kind is RunKind.RUN:
            with contextlib.suppress(RunDirectoryError):
                reader = self._reader(run.path)
                run = replace(run, progress=reader.progress())
                if host is not None and host.has_ended:
                    run = replace(run, state=reader.end_state(is_closed=False))
        return ListedRun(run=run, host=host)

    def _reader(self, path: Path) -> RunReader:
        if path not in self._readers:
            self._readers[path] = RunReader(RunDirectory.open(path))
        return self._readers[path]


def _may_change(run: StoredRun) -> bool:
    """True for a run that is training, and for a sweep, whose runs lie in other directories."""
    return run.state is RunState.RUNNING or run.kind is RunKind.SWEEP


def _signature(path: Path) -> Signature:
    try:
        with os.scandir(path) as files:
            found = [(each.name, each.stat(follow_symlinks=False)) for each in files]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in found))


def document(listed: ListedRun) -> dict[str, Any]:
    """The run as an object of the JSON document."""
    host, run = listed.host, listed.run
    return {
        "path": run.run_dir,
        **msgspec.to_builtins(replace(run, progress=None)),
        "progress": msgspec.to_builtins(listed.progress),
        "host": None if host is None else host.host,
        "pid": None if host is None else host.pid,
        "pids": [] if host is None else [host.pid, *host.others],
        "viewers": None if host is None else host.viewers,
    }
