"""The directory of a sweep on disk: `sweep.json`, and a run directory for each arm.

`sweep.json` names the arms; an arm's directory is made when the arm begins. The file stays locked
while the sweep is running, even between two arms, when no log is locked.
"""

import contextlib
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, Final, Self

import msgspec
from msgspec.structs import replace

from engine.log.directory import (
    RUN_FILE,
    SWEEP_FILE,
    RunDirectory,
    RunDirectoryError,
    data_path,
    description,
    server_output,
)
from engine.log.filesystem.holding import is_locked, lock
from engine.log.filesystem.private import PrivateDirectory
from engine.log.filesystem.removal import remove_files
from engine.log.filesystem.safe_open import (
    directory_made,
    directory_opened,
    is_present,
    opened,
    read_whole,
    replace_whole,
    safe_open,
    write_once,
)
from engine.log.format import FORMAT
from engine.log.reading.decode import (
    DocumentError,
    decode_packed,
)
from engine.session.host.note import is_host_file
from engine.settings import RunSettings, SettingsError
from engine.settings.ranges import Moment
from engine.sweep.table import ProbeResult

_MOST_BYTES: Final = 16 << 20
"""Size limit of `sweep.json`."""
PROBE_FILE: Final = "probe.msgpack"
"""The measurements besides training, so that they are made only once."""

MemoryLimit = Annotated[float, msgspec.Meta(gt=0, le=1e15)]
"""Megabytes."""


class SweepInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The content of sweep.json: the facts known before the first arm, and how the sweep ended."""

    format: int = FORMAT
    version: str
    """Version of the program that made the sweep."""
    created: Moment
    """Seconds since the Unix epoch."""
    settings: RunSettings
    """Each variant is an arm."""
    arms: tuple[str, ...]
    """The arms' directories, in the order of the variants; not all need exist."""
    is_complete: bool = False
    """True if the sweep was completed, so that a missing arm was left out on purpose."""
    memory_limit_mb: MemoryLimit | None = None
    """The limit that the recommendation keeps to; None in sweeps of older versions, too."""

    def __post_init__(self) -> None:
        if not len(self.arms) == len(self.settings.variants) == len({*self.arms}):
            raise SettingsError("its arms do not match its variants")
        if not all(map(_is_folder_name, self.arms)):
            raise SettingsError("the name of an arm cannot be a directory name")


class SweepDirectory:
    """A sweep on disk, made by `create` or `open`; a context manager while the sweep is running."""

    def __init__(self, path: Path, info: SweepInfo) -> None:
        self.path = path
        self.info = info
        self.handover: PrivateDirectory | None = None
        """The directory of the problem's loader, lent to all arms; without it, each arm loads."""
        self.is_resumed = False
        """True if an earlier process began this sweep, whose arms may be there."""
        self._lock: int | None = None

    @classmethod
    def create(
        cls,
        path: Path,
        settings: RunSettings,
        version: str,
        memory_limit_mb: float | None = None,
    ) -> Self:
        """Begin a sweep in `path`; RunDirectoryError if that is not possible."""
        names = [variant.name for variant in settings.variants]
        info = SweepInfo(
            version=version,
            created=time.time(),
            settings=settings,
            arms=arm_folders(names),
            memory_limit_mb=memory_limit_mb,
        )
        sweep = cls(path, info)
        try:
            with directory_made(path):
                if is_present(path / RUN_FILE):
                    raise FileExistsError(path)
                write_once(sweep.file, _encoded(info))
        except OSError as error:
            raise RunDirectoryError(_refusal(path, error), path) from None
        return sweep

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the sweep in `path`; RunDirectoryError if this version finds none it can read."""
        file = path / SWEEP_FILE
        try:
            data = read_whole(file, _MOST_BYTES)
        except OSError as error:
            raise RunDirectoryError(f"{path} is not a sweep: {error.strerror}", path) from None
        info = description(file, data, SweepInfo)
        sweep = cls(path, info)
        sweep.is_resumed = True
        return sweep

    @property
    def file(self) -> Path:
        """The file by which a directory is recognised as a sweep."""
        return sweep_file(self.path)

    # --- While the sweep is running ---------------------------------------------------------------

    def reread(self) -> SweepInfo:
        """The content of its file now; RunDirectoryError if it is gone."""
        self.info = SweepDirectory.open(self.path).info
        return self.info

    def __enter__(self) -> Self:
        """Take the lock; RunDirectoryError if another process holds it."""
        self._lock = safe_open(self.file, os.O_RDWR)
        try:
            lock(self._lock)
        except BlockingIOError:
            os.close(self._lock)
            raise RunDirectoryError(f"{self.path}: another sweep is running there") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        """Record whether the sweep was completed; remove a sweep without any arm."""
        if not any((self.path / arm).exists() for arm in self.info.arms):
            with contextlib.suppress(OSError):
                remove_sweep_file(self.path.resolve())
        elif kind is None:
            with contextlib.suppress(OSError):  # the sweep is then listed as one that ended early
                self._complete()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def new_arm(self, settings: RunSettings) -> RunDirectory:
        """Begin the run of an arm with these settings; RunDirectoryError if that is impossible."""
        (variant,) = settings.variants
        folder, lent = self.folder(variant.name), self.handover and self.handover.lent()
        return RunDirectory.create(folder, settings, self.info.version, lent)

    def _complete(self) -> None:
        self.info = replace(self.info, is_complete=True)
        replace_whole(self.file, _encoded(self.info))

    def keep_probe(self, probed: ProbeResult) -> None:
        """Keep the measurements besides training for a process that resumes the sweep."""
        with contextlib.suppress(OSError):
            replace_whole(self.path / PROBE_FILE, msgspec.msgpack.encode(probed))

    # --- Contents ---------------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """True while a process holds its lock."""
        return is_locked(self.file)

    @property
    def arm_paths(self) -> list[Path]:
        """Directories of the arms that have begun, in the order of the variants."""
        paths = (self.path / arm for arm in self.info.arms)
        return [path for path in paths if path.is_dir() and not path.is_symlink()]

    def planned_arm(self, name: str) -> RunDirectory:
        """The planned run of an arm that has not begun; nothing of it is on disk."""
        variants = tuple(each for each in self.info.settings.variants if each.name == name)
        settings = replace(self.info.settings, variants=variants)
        return RunDirectory.planned(self.folder(name), settings, self.info.version)

    @property
    def probe(self) -> ProbeResult | None:
        """The measurements that an earlier process kept; None if they have to be made."""
        try:
            found = decode_packed(read_whole(self.path / PROBE_FILE, _MOST_BYTES), ProbeResult)
        except (OSError, DocumentError):
            return None
        is_whole = len(found.peak_bytes) == len(self.info.settings.variants)
        return found if is_whole else None

    def folder(self, name: str) -> Path:
        """The directory of the arm with this name."""
        names = [variant.name for variant in self.info.settings.variants]
        return self.path / self.info.arms[names.index(name)]


def sweep_file(path: Path) -> Path:
    """The file by which this directory is recognised as a sweep."""
    return path / SWEEP_FILE


def check_sweep_file(path: Path) -> None:
    """Raise UnsafeFileError if the directory or its sweep file is a link."""
    with directory_opened(path) as folder, opened(SWEEP_FILE, dir_fd=folder):
        pass


def remove_sweep_file(path: Path) -> None:
    """Remove the sweep's own files, and the directory if nothing else is in it."""
    remove_files(path, is_sweep_file, folders=[data_path(path).name], last=SWEEP_FILE)


def is_sweep_file(name: str) -> bool:
    """True for the names of the files of a sweep and its host; its arms are directories."""
    return name in (SWEEP_FILE, PROBE_FILE, server_output(Path()).name) or is_host_file(name)


def arm_folders(names: Sequence[str]) -> tuple[str, ...]:
    """Unique directory names for arms, of lower-case letters and digits joined by hyphens."""
    folders: list[str] = []
    for name in names:
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "arm"
        count, folder = 1, plain
        while folder in folders:
            count += 1
            folder = f"{plain}-{count}"
        folders.append(folder)
    return tuple(folders)


def _encoded(info: SweepInfo) -> bytes:
    return msgspec.json.format(msgspec.json.encode(info), indent=2)


def _is_folder_name(name: str) -> bool:
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name


def _refusal(path: Path, error: OSError) -> str:
    if isinstance(error, FileExistsError):
        what = "already holds a sweep or a run" if path.is_dir() else "is not a directory"
        return f"{path} {what}; nothing was changed. Choose another --run-dir"
    return f"cannot write to {path}: {error.strerror}. Choose another place with --run-dir DIR"
