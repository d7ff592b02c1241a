"""The run directory: run.json and the logs, where a run begins, and how its files are named."""

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from engine.log.file import lock
from engine.settings import RunSettings

FORMAT: Final = 1
_RUN_FILE: Final = "run.json"


class RunDirectoryError(Exception):
    """A directory in which no run can be started or read; the message says why and what to do."""

    def __init__(self, message: str, path: Path | None = None) -> None:
        super().__init__(message)
        self.path = path
        """The directory, or the file in it, that caused the error."""


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The facts known before the first worker starts; the content of run.json."""

    format: int = FORMAT
    version: str
    """Version of the program that made the run."""
    created: float
    """Seconds since the Unix epoch."""
    logs: tuple[str, ...]
    """File names, one per variant, in the variants' order."""
    settings: RunSettings


def default_root() -> Path:
    """The folder of all runs: the XDG state directory (freedesktop.org basedir specification)."""
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    return base / "gdtui" / "runs"


def new_run_path(root: Path) -> Path:
    """A directory below `root` that no run uses yet, named after the local time."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    candidates = (root / (f"{stamp}-{k}" if k else stamp) for k in range(1000))
    return next(path for path in candidates if not path.exists())


def server_output(run: Path) -> Path:
    """The file for the output of loaders, and of the processes that all are forked from."""
    return run / "workers.out"


@contextlib.contextmanager
def reserved(path: Path) -> Iterator[None]:
    """Make the directory and hold it (lock its output file) until its run is written.

    Tensors that one who was killed meanwhile left there are removed. RunDirectoryError as with
    `RunDirectory.create`, and when another holds it.
    """
    with _telling(path):
        path.mkdir(0o700, parents=True, exist_ok=True)
        if (path / _RUN_FILE).exists():
            raise FileExistsError(path)
        output = server_output(path).open("ab")
    with output:
        try:
            lock(output.fileno())
        except BlockingIOError:
            raise RunDirectoryError(
                f"{path}: another gdtui is loading there; nothing was changed. Choose another "
                "--run-dir",
                path,
            ) from None
        shutil.rmtree(data_path(path), ignore_errors=True)
        yield


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    """An error on the way to a new run, in words for the user."""
    try:
        yield
    except FileExistsError:
        what = "already holds a run" if path.is_dir() else "is not a directory"
        raise RunDirectoryError(
            f"{path} {what}; nothing was changed. Choose another --run-dir", path
        ) from None
    except OSError as error:
        raise RunDirectoryError(
            f"cannot write to {path}: {error.strerror}. Choose another place with --run-dir DIR",
            path,
        ) from None


def data_path(run: Path) -> Path:
    """The folder of a run's tensors while it trains; its name is one that no user's folder has."""
    return run / ".tensors"


class RunDirectory:
    """One run on disk. Make it with `create` or `open`."""

    def __init__(self, path: Path, info: RunInfo) -> None:
        self.path = path
        self.info = info

    @classmethod
    def create(cls, path: Path, settings: RunSettings, version: str) -> "RunDirectory":
        """Begin a run there; RunDirectoryError when the directory holds one or is not writable."""
        logs = tuple(
            f"{number}-{_slug(variant.name)}.gdlog"
            for number, variant in enumerate(settings.variants, start=1)
        )
        info = RunInfo(version=version, created=time.time(), logs=logs, settings=settings)
        with _telling(path):
            path.mkdir(0o700, parents=True, exist_ok=True)
            _write_once(path / _RUN_FILE, msgspec.json.format(msgspec.json.encode(info), indent=2))
        return cls(path, info)

    @classmethod
    def open(cls, path: Path) -> "RunDirectory":
        """Open the run there; RunDirectoryError when this version cannot read one."""
        try:
            data = (path / _RUN_FILE).read_bytes()
        except OSError as error:
            why = f"{_RUN_FILE}: {error.strerror}"
            if server_output(path).exists():
                why = "its problem is still being loaded, or gdtui was killed meanwhile"
            raise RunDirectoryError(f"{path} holds no run: {why}", path) from None
        try:
            if json.loads(data).get("format") != FORMAT:
                raise RunDirectoryError(f"{path} was written by another version of gdtui", path)
            info = msgspec.json.decode(data, type=RunInfo)
        except (ValueError, AttributeError) as error:
            raise RunDirectoryError(
                f"{path / _RUN_FILE} is damaged: {error}", path / _RUN_FILE
            ) from None
        if len(info.logs) != len(info.settings.variants) or any("/" in log for log in info.logs):
            raise RunDirectoryError(
                f"{path / _RUN_FILE} is damaged: its logs do not match its variants",
                path / _RUN_FILE,
            )
        return cls(path, info)

    @property
    def session_log(self) -> Path:
        """The log of what no worker can write."""
        return self.path / "session.gdlog"

    def variant_log(self, name: str) -> Path:
        """The log of the variant of that name."""
        for variant, log in zip(self.info.settings.variants, self.info.logs, strict=True):
            if variant.name == name:
                return self.path / log
        raise RunDirectoryError(f"{self.path} has no variant {name!r}", self.path)

    def variant_output(self, name: str) -> Path:
        """The file for that worker's stdout and stderr."""
        return self.variant_log(name).with_suffix(".out")

    @property
    def data(self) -> Path:
        """The folder in which a loader puts tensors for the workers to map, during the run."""
        return data_path(self.path)

    def remove_data(self) -> None:
        """Remove the tensors, which nobody maps any more."""
        shutil.rmtree(self.data, ignore_errors=True)

    @property
    def server_output(self) -> Path:
        """The file for the output of the processes that the workers are forked from."""
        return server_output(self.path)


def _write_once(path: Path, data: bytes) -> None:
    """Write a whole file for waiting readers; FileExistsError when there is one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(data)
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _slug(name: str) -> str:
    """A name as a file name: lower case, letters and digits joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "variant"
