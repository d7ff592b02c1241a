"""Compiled programs in the user's cache directory, shared by all runs.

Loading a program runs its code, so the directory and everything in it must be the user's own, and
nobody else may be able to write there. A program is written whole or not at all.
"""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from engine.training.compiled.compiler import ProgramFacts

MOST_BYTES: Final = 1 << 30
"""Limit of the cache's size; the programs that were used longest ago go first."""
_PROGRAM, _FACTS, _WORK = ".so", ".json", "work-"
_ABANDONED: Final = 24 * 3600.0
"""Seconds after which a folder of work is taken to be left behind by a killed process."""


_at_work: Final[set[Path]] = set()
"""The folders of this process's compilers at work."""


class UnsafeCacheError(Exception):
    """A cache directory that others could write to; the message says why."""


def default_folder() -> Path:
    """The directory of the user's compiled programs."""
    from platformdirs import user_cache_path  # here, since the import takes 3 ms

    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    root = given / "gdtui" if given.is_absolute() else user_cache_path("gdtui", appauthor=False)
    return root / "builds"


class BuildCache:
    """The programs in one directory. Several processes may use it at a time."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        """Make the directory if it is missing. Raises OSError, or UnsafeCacheError."""
        self.folder = folder
        self._most = most_bytes
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise UnsafeCacheError(f"{folder} is not a directory")
        _require_private(folder, found)

    def find(self, key: str) -> Path | None:
        """The path of a program, which counts as used now; None if it is not there."""
        program = self.folder / (key + _PROGRAM)
        try:
            facts = read_facts(program)
        except (OSError, msgspec.MsgspecError, UnsafeCacheError):
            return None
        if facts.bytes != program.lstat().st_size:
            return None
        with contextlib.suppress(OSError):
            os.utime(program)
        return program

    def put(self, key: str, program: Path, facts: ProgramFacts) -> Path:
        """Move a new program from `program` on the same file system to its place; return that."""
        place = self.folder / (key + _PROGRAM)
        program.chmod(0o600)
        _sync(program)
        beside = program.with_suffix(_FACTS)
        beside.write_bytes(
            msgspec.json.encode(msgspec.structs.replace(facts, bytes=program.stat().st_size))
        )
        beside.chmod(0o600)
        _sync(beside)
        program.replace(place)
        beside.replace(place.with_suffix(_FACTS))  # last: with it, the program is there
        self._limit(place)
        return place

    @contextlib.contextmanager
    def work(self) -> Iterator[Path]:
        """A folder for a compiler's files, which goes when it is done."""
        folder = Path(tempfile.mkdtemp(prefix=_WORK, dir=self.folder))
        _at_work.add(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            _at_work.discard(folder)

    def _limit(self, kept: Path) -> None:
        """Remove the programs that were used longest ago, and folders left behind."""
        used = []
        newest = kept.stat().st_mtime
        for entry in os.scandir(self.folder):
            with contextlib.suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                if entry.name.startswith(_WORK) and newest - found.st_mtime > _ABANDONED:
                    shutil.rmtree(entry.path, ignore_errors=True)
                elif entry.name.endswith(_PROGRAM):
                    used.append((found.st_mtime, found.st_size, Path(entry.path)))
        total = sum(size for _, size, _ in used)
        for _, size, path in sorted(used):
            if total <= self._most or path == kept:
                break
            for each in (path.with_suffix(_FACTS), path):
                each.unlink(missing_ok=True)  # a process that has loaded it keeps it
            total -= size


def abandon_work() -> None:
    """Remove the folders of compilers at work, from a thread that is about to end this process."""
    for folder in [*_at_work]:
        shutil.rmtree(folder, ignore_errors=True)


def read_facts(program: Path) -> ProgramFacts:
    """The facts about a program that may be loaded.

    Raises OSError, msgspec.MsgspecError for damaged facts, and UnsafeCacheError for a program that
    others could have written.
    """
    for path in (program.parent, program, program.with_suffix(_FACTS)):
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            raise UnsafeCacheError(f"{path} is a link")
        _require_private(path, found)
    return msgspec.json.decode(program.with_suffix(_FACTS).read_bytes(), type=ProgramFacts)


def _require_private(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise UnsafeCacheError(f"{path} belongs to another user")
    if found.st_mode & 0o022:
        raise UnsafeCacheError(f"other users can write to {path}: chmod go-w it")


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
