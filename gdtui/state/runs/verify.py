"""Integrity check of a stored run: reads every file to its end or to its first damage."""

import os
import stat
from pathlib import Path
from typing import Final

import msgspec

from engine.log.directory import LOG_SUFFIX, RUN_FILE, RunDirectory, RunDirectoryError
from engine.log.file import LogDamagedError, LogReader
from engine.log.records import Started
from gdtui.state.runs.checkpoint_check import check_checkpoints
from gdtui.state.runs.file_check import FileCheck, FileDamage, FileState
from gdtui.state.stored_runs import is_running

_SOUND: Final = (FileState.WHOLE, FileState.GROWING, FileState.UNUSED)


class RunCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A run's files, one by one."""

    run_dir: str
    is_running: bool
    """True while a process writes the run, whose logs then need no end."""
    files: tuple[FileCheck, ...]

    @property
    def is_whole(self) -> bool:
        """True when nothing is damaged or missing, and no log ends early."""
        return all(each.state in _SOUND for each in self.files)


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
    begun: dict[Path, dict[int, int]] = {reader.path: {} for reader in readers}
    logs = [_check_log(reader, is_written, begun[reader.path]) for reader in readers]
    files = [_check_whole(path / RUN_FILE, damage), *logs]
    if run is not None:
        names = [variant.name for variant in run.info.settings.variants]
        files += check_checkpoints(run, {name: begun[run.variant_log(name)] for name in names})
    return RunCheck(run_dir=str(path), is_running=is_written, files=tuple(files))


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


def _check_log(reader: LogReader, is_written: bool, begun: dict[int, int]) -> FileCheck:
    """Check a log; `begun` is given the samples of the training set by generation."""
    path, damage = reader.path, None
    try:
        for record in reader:
            if isinstance(record, Started):
                begun[record.generation] = record.n
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
