"""Compiled programs in the user's cache directory, shared by all runs.

Loading a program runs its code, so the directory and everything in it must be the user's own, and
nobody else may be able to write there. A program is written whole or not at all.
"""

import contextlib
import hashlib
import os
import stat
from pathlib import Path
from typing import Final

import msgspec

from engine.log.filesystem.holding import held
from engine.training.compiled.cache.work_folder import work_folder
from engine.training.compiled.compiler import ProgramFacts

MOST_BYTES: Final = 1 << 30
"""Limit of the cache's size; the programs that were used longest ago go first."""
_PROGRAM, _FACTS = ".so", ".facts"
"""Torch would take a file .json beside a program for a part of it."""


class UnsafeCacheError(Exception):
    """A cache directory that others could write to; the message says why."""


class DamagedProgramError(Exception):
    """A program that is not as it was written."""


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
            read_facts(program)
        except (OSError, msgspec.MsgspecError, UnsafeCacheError, DamagedProgramError):
            return None
        with contextlib.suppress(OSError):
            os.utime(program)
        return program

    def put(self, key: str, program: Path, facts: ProgramFacts) -> Path:
        """Move a new program from `program` on the same file system to its place; return that.

        If another process was quicker, its program stays. Raises OSError.
        """
        place = self.folder / (key + _PROGRAM)
        program.chmod(0o600)
        _sync(program)
        beside = program.with_suffix(_FACTS)
        facts = msgspec.structs.replace(facts, digest=_digest(program))
        beside.write_bytes(msgspec.json.encode(facts))
        beside.chmod(0o600)
        _sync(beside)
        with held(self.folder):  # a program and its facts change together
            if self.find(key) is None:
                program.replace(place)
                beside.replace(place.with_suffix(_FACTS))
        self._limit(place)
        return place

    def work(self) -> contextlib.AbstractContextManager[Path]:
        """A folder for a compiler's files, which goes when it is done."""
        return work_folder(self.folder)

    def _limit(self, kept: Path) -> None:
        """Remove the programs that were used longest ago."""
        used = []
        for entry in os.scandir(self.folder):
            with contextlib.suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                if entry.name.endswith(_PROGRAM):
                    used.append((found.st_mtime, found.st_size, Path(entry.path)))
        total = sum(size for _, size, _ in used)
        for _, size, path in sorted(used):
            if total <= self._most or path == kept:
                break
            for each in (path.with_suffix(_FACTS), path):
                each.unlink(missing_ok=True)  # a process that has loaded it keeps it
            total -= size


def read_facts(program: Path) -> ProgramFacts:
    """The facts about a program that may be loaded.

    Raises OSError, msgspec.MsgspecError for damaged facts, DamagedProgramError for a damaged
    program, and UnsafeCacheError for one that others could have written.
    """
    for path in (program.parent, program, program.with_suffix(_FACTS)):
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            raise UnsafeCacheError(f"{path} is a link")
        _require_private(path, found)
    facts = msgspec.json.decode(program.with_suffix(_FACTS).read_bytes(), type=ProgramFacts)
    if facts.digest != _digest(program):
        raise DamagedProgramError(f"{program} is damaged: remove it")
    return facts


def _require_private(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise UnsafeCacheError(f"{path} belongs to another user")
    if found.st_mode & 0o022:
        raise UnsafeCacheError(f"other users can write to {path}: chmod go-w it")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
