"""The run directory: how it is created and opened, and the names of run.json and the logs."""

import contextlib
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from engine.log.filesystem.custody import Custody
from engine.log.filesystem.disk_errors import reason
from engine.log.filesystem.holding import held
from engine.log.filesystem.safe_open import (
    UnsafeFileError,
    directory_made,
    is_present,
    output_opened,
    read_whole,
    write_once,
)
from engine.log.filesystem.sync import sync_directory
from engine.log.format import CHECKPOINTS, FORMAT
from engine.log.reading.decode import DocumentError, DocumentT, NewerDocumentError, decode_document
from engine.settings import RunSettings, SettingsError
from engine.settings.ranges import Moment
from engine.settings.text import clean

if TYPE_CHECKING:
    from engine.log.filesystem.private import PrivateDirectory

RUN_FILE: Final = "run.json"
SWEEP_FILE: Final = "sweep.json"
"""Marks a directory that holds the runs of a sweep in subdirectories and is not itself a run."""
EXPERIMENT_FILE: Final = "experiment.json"
LOG_SUFFIX: Final = ".gdlog"
SUFFIXES: Final = (LOG_SUFFIX, ".weights", ".out")
"""Suffixes of a variant's files, which share the stem of its log."""
_SESSION_LOG: Final = "session.gdlog"
_LOG_NAME: Final = re.compile(r"[^/\0]{1,200}\.gdlog")
MOST_VARIANTS: Final = 1_000
_MOST_BYTES: Final = 16 << 20
"""Size limit of run.json; a thousand variants take 300 KB."""


class RunDirectoryError(Exception):
    """A directory in which no run can be started or read; the message says why and what to do."""

    def __init__(self, message: str, path: Path | None = None) -> None:
        super().__init__(clean(message))
        self.path = path
        """The directory, or the file in it, that caused the error."""


class NewerFormatError(RunDirectoryError):
    """A run in a format that only a later gdtui can read; nothing is wrong with it."""


def description(file: Path, data: bytes, kind: type[DocumentT]) -> DocumentT:
    """The content `data` of the file that says what its directory holds.

    Raises NewerFormatError if a later version wrote it, RunDirectoryError if it is damaged.
    """
    try:
        return decode_document(data, kind)
    except NewerDocumentError as error:
        raise NewerFormatError(f"{file.parent} {error}", file.parent) from None
    except DocumentError as error:
        raise RunDirectoryError(f"{file} is damaged: {error}", file) from None


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The facts known before the first worker starts; the content of run.json."""

    format: int = FORMAT
    version: str
    """Version of the program that created the run."""
    created: Moment
    """Seconds since the Unix epoch."""
    logs: tuple[str, ...]
    """File names, one per variant, in the order of the variants."""
    settings: RunSettings

    def __post_init__(self) -> None:
        names = [variant.name for variant in self.settings.variants]
        if not len(names) == len(self.logs) == len({*self.logs}):
            raise SettingsError("its logs do not match its variants")
        if len(names) > MOST_VARIANTS:
            raise SettingsError(f"it has more than {MOST_VARIANTS:,} variants")
        if not all(map(_LOG_NAME.fullmatch, self.logs)) or _SESSION_LOG in self.logs:
            raise SettingsError("a log has an invalid file name")
        if not all(name.strip() for name in names):
            raise SettingsError("a variant has no name")


def new_run_path(root: Path) -> Path:
    """A directory below `root` that no run uses yet, named after the local time."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    candidates = (root / (f"{stamp}-{k}" if k else stamp) for k in range(1000))
    return next(path for path in candidates if not path.exists())


def server_output(run: Path) -> Path:
    """The file for the output of loaders and of the fork servers that start the workers."""
    return run / "workers.out"


@contextlib.contextmanager
def reserved(path: Path) -> Iterator[None]:
    """Create the directory and its output file, and hold the directory while a problem loads.

    Raises RunDirectoryError as `RunDirectory.create` does.
    """
    with contextlib.ExitStack() as stack:
        with _telling(path):
            stack.enter_context(directory_made(path))
            _refuse_leftovers(path)
            stack.enter_context(_in_use(path))
            stack.enter_context(output_opened(server_output(path)))
        yield


@contextlib.contextmanager
def _in_use(path: Path) -> Iterator[int]:
    """Hold a directory during the block; RunDirectoryError if another process holds it."""
    with contextlib.ExitStack() as stack:
        try:
            lock = stack.enter_context(held(path))
        except BlockingIOError:
            taken = (
                f"{path} is in use by another gdtui; nothing was changed. Choose another --run-dir"
            )
            raise RunDirectoryError(taken, path) from None
        yield lock


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turn an error while creating a run into a message for the user."""
    try:
        yield
    except FileExistsError:
        what = "already holds a run" if path.is_dir() else "is not a directory"
        raise RunDirectoryError(
            f"{path} {what}; nothing was changed. Choose another --run-dir", path
        ) from None
    except UnsafeFileError as error:
        raise RunDirectoryError(
            f"{error.filename} {error.strerror}; nothing was changed. Choose another --run-dir",
            path,
        ) from None
    except OSError as error:
        raise RunDirectoryError(
            f"cannot write to {path}: {reason(error, path)}. Choose another place with "
            "--run-dir DIR",
            path,
        ) from None


def data_path(run: Path) -> Path:
    """The directory where earlier versions kept a run's tensors during training; never read."""
    return run / ".tensors"


class RunDirectory:
    """A run on disk. Construct it with `create` or `open`."""

    def __init__(self, path: Path, info: RunInfo, *, is_ours: bool = False) -> None:
        self.path = path
        self.info = info
        self.is_ours = is_ours
        """True if this process began the run; only then are its settings the user's."""
        self.custody = Custody()
        """The lock on it, and what its loader found, while this process trains it."""

    @classmethod
    def create(
        cls,
        path: Path,
        settings: RunSettings,
        version: str,
        handover: "PrivateDirectory | None" = None,
    ) -> "RunDirectory":
        """Begin a run at `path`; RunDirectoryError if it holds a run or is not writable.

        The run counts as running until `custody.release`. It takes over `handover`.
        """
        run = cls.planned(path, settings, version)
        data = msgspec.json.format(msgspec.json.encode(run.info), indent=2)
        beside = [Path(log).with_suffix(end).name for log in run.info.logs for end in SUFFIXES]
        with contextlib.ExitStack() as until_failed, _telling(path):
            until_failed.enter_context(directory_made(path))
            _refuse_leftovers(path, [*beside, CHECKPOINTS])
            lock = until_failed.enter_context(_in_use(path))
            write_once(path / RUN_FILE, data)
            sync_directory(path.parent)
            run.custody.hold(lock, until_failed.pop_all().close)
        run.is_ours, run.custody.handover = True, handover
        return run

    @classmethod
    def planned(cls, path: Path, settings: RunSettings, version: str) -> "RunDirectory":
        """The run that `create` would begin at `path` now; nothing is written."""
        names = (variant.name for variant in settings.variants)
        logs = tuple(log_name(number, name) for number, name in enumerate(names, start=1))
        info = RunInfo(version=version, created=time.time(), logs=logs, settings=settings)
        return cls(path, info)

    @classmethod
    def open(cls, path: Path) -> "RunDirectory":
        """Open the run at `path`; RunDirectoryError if none is there or it is unreadable."""
        try:
            data = read_whole(path / RUN_FILE, _MOST_BYTES)
        except OSError as error:
            colon = "" if isinstance(error, UnsafeFileError) else ":"
            why = f"{RUN_FILE}{colon} {error.strerror}"
            if isinstance(error, FileNotFoundError) and (other := _other_kind(path)):
                raise RunDirectoryError(f"{path} {other}", path) from None
            if isinstance(error, FileNotFoundError) and is_present(server_output(path)):
                why = "its problem is still loading, or gdtui was killed while loading it"
            raise RunDirectoryError(f"{path} holds no run: {why}", path) from None
        return cls(path, description(path / RUN_FILE, data, RunInfo))

    def hold(self) -> None:
        """Hold the run, which has ended, to train it again; RunDirectoryError if it is in use."""
        with contextlib.ExitStack() as until_failed, _telling(self.path):
            lock = until_failed.enter_context(_in_use(self.path))
            self.custody.hold(lock, until_failed.pop_all().close)

    @property
    def has_run_file(self) -> bool:
        """True while its run.json exists; without that file the run cannot be opened."""
        return is_present(self.path / RUN_FILE)

    @property
    def session_log(self) -> Path:
        """The log of everything that the workers cannot record themselves."""
        return self.path / _SESSION_LOG

    def variant_log(self, name: str) -> Path:
        """The log of the variant with this name."""
        for variant, log in zip(self.info.settings.variants, self.info.logs, strict=True):
            if variant.name == name:
                return self.path / log
        raise RunDirectoryError(f"{self.path} has no variant {name!r}", self.path)

    def variant_output(self, name: str) -> Path:
        """The file for the stdout and stderr of this variant's worker."""
        return self.variant_log(name).with_suffix(".out")

    @classmethod
    def taken_over(cls, path: Path, custody: Custody) -> "RunDirectory":
        """Open the run that another process has created and hands on."""
        run = cls.open(path)
        run.custody, run.is_ours = custody, True
        return run

    @property
    def server_output(self) -> Path:
        """The file for the output of the fork servers that start the workers."""
        return server_output(self.path)


def _refuse_leftovers(path: Path, names: Iterable[str] = ()) -> None:
    """FileExistsError if `path` holds a run; RunDirectoryError if it holds logs or any of `names`.

    Records in leftover logs would be mistaken for records of the new run.
    """
    if is_present(path / RUN_FILE):
        raise FileExistsError(path)
    logs = (file.name for file in path.glob(f"*{LOG_SUFFIX}"))
    for name in (*logs, *(name for name in names if is_present(path / name))):
        raise RunDirectoryError(
            f"{path} already holds {name}, but no {RUN_FILE}; nothing was changed. Choose "
            "another --run-dir",
            path,
        )


def _other_kind(path: Path) -> str:
    """The reason why a sweep or an experiment is not a run, and what to do; else empty."""
    if is_present(path / EXPERIMENT_FILE):
        return "is an experiment: gdtui experiment --run-dir shows its report"
    if not is_present(path / SWEEP_FILE):
        return ""
    runs = sorted(file.parent for file in path.glob(f"*/{RUN_FILE}"))
    named = f"is a sweep of {len(runs)} runs; name one of them, such as {runs[0] if runs else path}"
    return named if runs else "is a sweep, and none of its runs has begun"


def log_name(number: int, name: str) -> str:
    """The file of a variant's log: its number from 1, and its name in lower-case ASCII."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "variant"
    return f"{number}-{slug}{LOG_SUFFIX}"
