"""Integrity check of a stored run: reads every file to its end or to its first damage."""

import os
import stat
from enum import StrEnum
from pathlib import Path

import msgspec

from engine.log.directory import LOG_SUFFIX, RUN_FILE, RunDirectory, RunDirectoryError
from engine.log.file import LogDamagedError, LogReader
from gdtui.state.stored_runs import is_running


class FileState(StrEnum):
    """The state of one file of a run."""

    WHOLE = "whole"
    GROWING = "still written"
    ENDS_EARLY = "ends early"
    MISSING = "missing"
    DAMAGED = "damaged"


class FileDamage(msgspec.Struct, frozen=True, kw_only=True):
    """The first damage in a file."""

    reason: str
    offset: int | None = None
    """Bytes of the file before the damage; None for a file that is read as a whole."""
    record: int | None = None
    """The number of the damaged record, counted from 1."""


class FileCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a run, and how far it can be read."""

    file: str
    state: FileState
    bytes: int
    records: int | None = None
    """Whole records before the first damage; None for a file without records."""
    damage: FileDamage | None = None


class RunCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A run's files, one by one."""

    run_dir: str
    is_running: bool
    """True while a process writes the run, whose logs then need no end."""
    files: tuple[FileCheck, ...]

    @property
    def is_whole(self) -> bool:
        """True when nothing is damaged or missing, and no log ends early."""
        return all(each.state in (FileState.WHOLE, FileState.GROWING) for each in self.files)


def verify(path: Path) -> RunCheck:
    """Read every file of the run there; RunDirectoryError if no file of a run is there."""
    run: RunDirectory | None = None
    damage: FileDamage | None = None
    try:
        run = RunDirectory.open(path)
    except RunDirectoryError as error:
        damage = FileDamage(reason=str(error))
        if not _logs_in(path) and not os.path.lexists(path / RUN_FILE):
            raise
    is_written = run is not None and is_running(run)
    readers = list(map(LogReader, _logs_in(path))) if run is None else _readers(run)
    logs = (_check_log(reader, is_written) for reader in readers)
    files = _check_whole(path / RUN_FILE, damage), *logs
    return RunCheck(run_dir=str(path), is_running=is_written, files=files)


def _readers(run: RunDirectory) -> list[LogReader]:
    names = [variant.name for variant in run.info.settings.variants]
    return [LogReader(run.session_log, names), *map(LogReader, map(run.variant_log, names))]


def _logs_in(path: Path) -> list[Path]:
    """All logs there, for a run that does not say which logs it has."""
    try:
        return sorted(each for each in path.iterdir() if each.suffix == LOG_SUFFIX)
    except OSError:
        return []


def _check_whole(path: Path, damage: FileDamage | None) -> FileCheck:
    state = FileState.WHOLE if damage is None else FileState.DAMAGED
    if not os.path.lexists(path):
        state = FileState.MISSING
    return FileCheck(file=path.name, state=state, bytes=_size(path), damage=damage)


def _check_log(reader: LogReader, is_written: bool) -> FileCheck:
    path, damage = reader.path, None
    try:
        for _ in reader:
            pass
    except LogDamagedError as error:
        damage = FileDamage(reason=error.trouble, offset=error.offset, record=error.record)
    if damage is not None:
        state = FileState.DAMAGED
    elif reader.is_complete and not reader.has_torn_end:
        state = FileState.WHOLE
    elif is_written:
        state = FileState.GROWING
    else:
        state = FileState.ENDS_EARLY if os.path.lexists(path) else FileState.MISSING
    return FileCheck(
        file=path.name, state=state, bytes=_size(path), records=reader.records, damage=damage
    )


def _size(path: Path) -> int:
    """Bytes of a regular file; 0 for anything else."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0
