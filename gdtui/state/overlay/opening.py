"""Opens the runs to be watched: those given, a sweep, a folder of runs, or the newest run."""

import contextlib
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from engine.log.directory import MOST_VARIANTS, RUN_FILE, RunDirectory, RunDirectoryError
from engine.log.filesystem.safe_open import is_present
from engine.settings import RunSettings
from engine.sweep.directory import SweepDirectory, sweep_file
from gdtui.state.overlay.merged_source import MergedMember, MergedSource
from gdtui.state.overlay.names import run_labels, variant_names
from gdtui.state.overlay.shown_runs import ShownRuns, ShownVariant
from gdtui.state.overlay.watch_source import WatchSource
from gdtui.state.record_source import RecordSource
from gdtui.state.stored_runs import is_running

_UNTRAINED: Final = "not trained: the sweep ended before it, or full batch stands in for it"


@dataclass(frozen=True, slots=True)
class OpenedRuns:
    """The runs on screen, and the source of their records."""

    shown: ShownRuns
    source: RecordSource


@dataclass(frozen=True, slots=True)
class _Entry:
    """A run, or a sweep with all its arms."""

    path: Path
    runs: tuple[RunDirectory, ...]
    sweep: SweepDirectory | None = None
    notes: tuple[str, ...] = ()

    def source(self, run: RunDirectory) -> RecordSource:
        sweep = self.sweep
        if sweep is None:
            return WatchSource(run)
        return WatchSource(
            run,
            is_written=lambda run: sweep.is_running or is_running(run),
            unbegun=_UNTRAINED,
        )


def open_runs(paths: Sequence[Path], roots: Sequence[Path]) -> OpenedRuns:
    """Open these runs, or the newest run below the `roots` if none is given.

    Each is the directory of a run or of a sweep, or a folder of them. Raises RunDirectoryError if
    one of them can't be read; for a sweep or a folder, only if none of its runs can.
    """
    if not paths:
        path = newest(*roots)
        first, *others = _entries(path)
        first = replace(first, notes=(*first.notes, *_newer_unread(path, roots)))
        return _opened([first, *others])
    entries = {
        entry.path.resolve(): entry for path in paths for entry in _entries(path)
    }  # each only once, however often it is given
    return _opened(list(entries.values()))


def newest(*roots: Path) -> Path:
    """The directory of the run or sweep below these folders that began last.

    Raises RunDirectoryError if none can be read.
    """
    found = [(_created(path), path) for root in roots for path in _folders(root)]
    begun = [(created, path) for created, path in found if created is not None]
    if not begun:
        places = " or ".join(map(str, roots))
        raise RunDirectoryError(
            f"no run in {places}: give a run directory, or start one with gdtui"
        )
    return max(begun)[1]


def _newer_unread(shown: Path, roots: Sequence[Path]) -> list[str]:
    """A note on each run or sweep that was written after this one began, but cannot be read."""
    began = _created(shown)
    return [
        f"{path} may be newer, but cannot be read: gdtui verify {path.name} says why"
        for root in roots
        for path in _folders(root)
        if _created(path) is None and began is not None and _written(path) > began
    ]


def _written(path: Path) -> float:
    """The time at which the run or sweep there was last written to; -inf if there is none."""
    with contextlib.suppress(OSError):
        if is_present(path / RUN_FILE) or is_present(sweep_file(path)):
            return path.stat(follow_symlinks=False).st_mtime
    return -math.inf


def stored_settings(path: Path) -> RunSettings:
    """The settings of the run or sweep there; may raise RunDirectoryError."""
    if is_present(sweep_file(path)):
        return SweepDirectory.open(path).info.settings
    return RunDirectory.open(path).info.settings


def _created(path: Path) -> float | None:
    """The time at which the run or sweep there began; None if none can be read."""
    kind: Callable[[Path], RunDirectory | SweepDirectory] = RunDirectory.open
    try:
        if is_present(sweep_file(path)):
            kind = SweepDirectory.open
        return kind(path).info.created
    except (RunDirectoryError, OSError):
        return None


# --- Entries --------------------------------------------------------------------------------------


def _entries(path: Path) -> list[_Entry]:
    """The run or sweep there, or all those in a folder; RunDirectoryError if there are none."""
    try:
        return _found(path)
    except OSError as error:
        raise RunDirectoryError(f"{path} holds no run: {error.strerror}", path) from None


def _found(path: Path) -> list[_Entry]:
    if is_present(sweep_file(path)):
        return [_sweep(path)]
    below = [] if is_present(path / RUN_FILE) else _runs_below(path)
    if not below:
        return [_Entry(path, (_readable(path),))]
    found, notes = [], []
    for each in below:
        try:
            found += _entries(each)
        except RunDirectoryError as error:
            notes.append(f"{each.name} is not shown: {error}")
    if not found:
        raise RunDirectoryError(notes[0], path)
    return [replace(found[0], notes=(*found[0].notes, *notes)), *found[1:]]


def _runs_below(path: Path) -> list[Path]:
    return [
        each
        for each in sorted(_folders(path))
        if is_present(each / RUN_FILE) or is_present(sweep_file(each))
    ]


def _folders(path: Path) -> list[Path]:
    try:
        return [each for each in path.iterdir() if each.is_dir() and not each.is_symlink()]
    except OSError:
        return []


def _sweep(path: Path) -> _Entry:
    """The arms that have begun and, while the sweep is running, those still to come."""
    sweep = SweepDirectory.open(path)
    goes_on, begun = sweep.is_running, set(sweep.arm_paths)
    runs, notes = [], []
    for variant, folder in zip(sweep.info.settings.variants, sweep.info.arms, strict=True):
        if path / folder in begun:
            try:
                runs.append(_readable(path / folder))
            except RunDirectoryError as error:
                notes.append(f"{variant.name} is not shown: {error}")
        elif goes_on:
            runs.append(sweep.planned_arm(variant.name))
    if not runs:
        raise RunDirectoryError(f"{path} holds no run: {notes[0] if notes else 'no arm has begun'}")
    return _Entry(path, tuple(runs), sweep, tuple(notes))


def _readable(path: Path) -> RunDirectory:
    """The run there; RunDirectoryError if it or one of its logs can't be read."""
    run = RunDirectory.open(path)
    for log in (run.session_log, *(run.path / name for name in run.info.logs)):
        if is_present(log) and not os.access(log, os.R_OK):
            raise RunDirectoryError(f"no permission to read {log}")
    return run


# --- As one ---------------------------------------------------------------------------------------


def _opened(entries: Sequence[_Entry]) -> OpenedRuns:
    labels = run_labels([entry.path.resolve() for entry in entries])
    own = [
        [variant.name for run in entry.runs for variant in run.info.settings.variants]
        for entry in entries
    ]
    if (count := sum(map(len, own))) > MOST_VARIANTS:
        raise RunDirectoryError(
            f"these runs have {count:,} variants; {MOST_VARIANTS:,} are shown at most: name fewer"
        )
    names = iter(name for entry in variant_names(labels, own) for name in entry)
    variants: list[ShownVariant] = []
    members: list[MergedMember] = []
    for entry in entries:
        for run in entry.runs:
            told = {variant.name: next(names) for variant in run.info.settings.variants}
            variants += [
                ShownVariant(name=name, own_name=own, run=run) for own, name in told.items()
            ]
            members.append(MergedMember(entry.source(run), told))
    notes = [note for entry in entries for note in entry.notes]
    shown = ShownRuns(variants, entries[0].path if len(entries) == 1 else None, notes)
    if len(members) == 1:
        return OpenedRuns(shown, members[0].source)
    return OpenedRuns(shown, MergedSource(members))
