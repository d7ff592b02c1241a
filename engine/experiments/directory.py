"""The directory of an experiment on disk: `experiment.json`, and a file for each arm that is done.

`experiment.json` stays locked while the experiment is running.
"""

import contextlib
import os
import re
import time
from pathlib import Path
from types import TracebackType
from typing import Annotated, Final, Self

import msgspec
from msgspec.structs import replace

from engine.experiments.job import ExperimentTask
from engine.experiments.registry import LISTINGS, MOST_SEEDS
from engine.log.directory import (
    EXPERIMENT_FILE,
    RUN_FILE,
    SWEEP_FILE,
    RunDirectoryError,
    data_path,
    description,
    server_output,
)
from engine.log.filesystem.holding import is_locked, lock
from engine.log.filesystem.removal import remove_files
from engine.log.filesystem.safe_open import (
    directory_made,
    is_present,
    read_whole,
    replace_whole,
    safe_open,
    write_once,
)
from engine.log.format import FORMAT
from engine.session.host.note import is_host_file
from engine.settings import SettingsError
from engine.settings.ranges import Identifier, Moment, Ordinal

_MOST_BYTES: Final = 1 << 20
_ARM: Final = re.compile(r"arm-[0-9]{1,4}\.msgpack")
_Text = Annotated[str, msgspec.Meta(max_length=1_000)]


class ExperimentInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The content of experiment.json: the experiment, its settings, and its verdict."""

    format: int = FORMAT
    version: _Text
    """Version of the program that began it."""
    created: Moment
    """Seconds since the Unix epoch."""
    name: _Text
    seeds: Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1, max_length=MOST_SEEDS)]
    device: _Text
    threads: Ordinal
    verdict: _Text = ""
    """Empty until it has ended."""

    def __post_init__(self) -> None:
        if all(listing.name != self.name for listing in LISTINGS):
            raise SettingsError(f"unknown experiment {self.name!r}")


class ExperimentDirectory:
    """An experiment on disk, made by `create` or `open`; a context manager while it is running."""

    def __init__(self, path: Path, info: ExperimentInfo) -> None:
        self.path = path
        self.info = info
        self._lock: int | None = None

    @classmethod
    def create(cls, path: Path, task: ExperimentTask, version: str) -> Self:
        """Begin an experiment in `path`; RunDirectoryError if that is not possible."""
        info = ExperimentInfo(
            version=version,
            created=time.time(),
            name=task.name,
            seeds=task.seeds,
            device=task.device,
            threads=task.threads,
        )
        try:
            with directory_made(path):
                if is_present(path / RUN_FILE) or is_present(path / SWEEP_FILE):
                    raise FileExistsError(path)
                write_once(path / EXPERIMENT_FILE, _encoded(info))
        except FileExistsError:
            raise RunDirectoryError(
                f"{path} is in use already; nothing was changed. Choose another --run-dir", path
            ) from None
        except OSError as error:
            raise RunDirectoryError(
                f"cannot write to {path}: {error.strerror}. Choose another place with "
                "--run-dir DIR",
                path,
            ) from None
        return cls(path, info)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the experiment in `path`; RunDirectoryError if this version finds none."""
        file = path / EXPERIMENT_FILE
        try:
            data = read_whole(file, _MOST_BYTES)
        except OSError as error:
            raise RunDirectoryError(
                f"{path} is not an experiment: {error.strerror}", path
            ) from None
        info = description(file, data, ExperimentInfo)
        return cls(path, info)

    @property
    def task(self) -> ExperimentTask:
        """The experiment as a job, which keeps its results here."""
        info = self.info
        return ExperimentTask(
            name=info.name,
            seeds=info.seeds,
            device=info.device,
            threads=info.threads,
            directory=str(self.path),
        )

    def reread(self) -> ExperimentInfo:
        """The content of its file now; RunDirectoryError if it is gone."""
        self.info = ExperimentDirectory.open(self.path).info
        return self.info

    def __enter__(self) -> Self:
        """Take the lock; RunDirectoryError if another process holds it."""
        self._lock = safe_open(self.path / EXPERIMENT_FILE, os.O_RDWR)
        try:
            lock(self._lock)
        except BlockingIOError:
            os.close(self._lock)
            raise RunDirectoryError(f"{self.path}: the experiment is running there") from None
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Remove an experiment without any result; release the lock."""
        if not (self.info.verdict or self.arms):
            with contextlib.suppress(OSError):
                remove_experiment(self.path.resolve())
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def complete(self, verdict: str) -> None:
        """Record the verdict."""
        self.info = replace(self.info, verdict=verdict)
        with contextlib.suppress(OSError):  # it is then listed as one that ended early
            replace_whole(self.path / EXPERIMENT_FILE, _encoded(self.info))

    @property
    def is_running(self) -> bool:
        """True while a process holds its lock."""
        return is_locked(self.path / EXPERIMENT_FILE)

    @property
    def arms(self) -> list[Path]:
        """The files of the arms that are done."""
        with contextlib.suppress(OSError):
            return sorted(file for file in self.path.iterdir() if _ARM.fullmatch(file.name))
        return []


def is_experiment(path: Path) -> bool:
    """True for the directory of an experiment."""
    return is_present(path / EXPERIMENT_FILE)


def is_experiment_file(name: str) -> bool:
    """True for the names of the files of an experiment and its host."""
    is_arm = _ARM.fullmatch(name) is not None
    return is_arm or name in (EXPERIMENT_FILE, server_output(Path()).name) or is_host_file(name)


def remove_experiment(path: Path) -> None:
    """Remove an experiment's own files, and the directory if nothing else is in it."""
    remove_files(path, is_experiment_file, folders=[data_path(path).name], last=EXPERIMENT_FILE)


def _encoded(info: ExperimentInfo) -> bytes:
    return msgspec.json.format(msgspec.json.encode(info), indent=2)
