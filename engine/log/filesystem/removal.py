"""Removes a run's own files, and nothing that lies outside its directory.

All names are looked up relative to open directories, so that no link is followed, not even a link
created during the removal.
"""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine.log.filesystem.safe_open import UnsafeFileError, directory_opened, kind_of

IsOwn = Callable[[str], bool]
"""A predicate that is true for the names of a run's own files."""


def size_of(path: Path, is_own: IsOwn, *folders: str) -> int:
    """Bytes of the run's own files and of all files in its `folders`. Follows no link."""
    size = 0
    with directory_opened(path) as top:
        size += sum(found.st_size for found in _entries(top, is_own).values() if _is_file(found))
        for folder in folders:
            with contextlib.suppress(OSError), directory_opened(folder, dir_fd=top) as inner:
                every = _entries(inner, lambda name: True)
                size += sum(found.st_size for found in every.values() if _is_file(found))
    return size


def remove_files(path: Path, is_own: IsOwn, *, folders: Sequence[str], last: str) -> None:
    """Remove the run's own files, its `folders` with all files in them; the directory if empty.

    The file `last` goes last, so that a partly removed run stays listed. Raises UnsafeFileError and
    removes nothing if the name of a run's file belongs to a link or anything else that no run
    creates, or if the directory itself is a link.
    """
    with directory_opened(path) as top:
        own = _entries(top, is_own)
        _refuse(path, own)
        for folder in folders:
            _empty_folder(path, top, folder)
        for name in sorted(own, key=lambda name: name == last):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=top)
        is_empty = not _entries(top, lambda name: True)
    if is_empty:
        path.rmdir()


def remove_empty(path: Path) -> None:
    """Remove a directory if nothing is in it."""
    with contextlib.suppress(OSError):
        path.rmdir()


def remove_tree(path: Path) -> None:
    """Remove a private directory and its content, as far as possible.

    rmtree refuses a link and looks up names relative to open directories.
    """
    shutil.rmtree(path, ignore_errors=True)


def _empty_folder(path: Path, top: int, folder: str) -> None:
    found = _entries(top, lambda name: name == folder).get(folder)
    if found is None:
        return
    if not stat.S_ISDIR(found.st_mode):
        _refuse(path, {folder: found})
    with directory_opened(folder, dir_fd=top) as inner:
        names = _entries(inner, lambda name: True)
        _refuse(path, {f"{folder}/{name}": each for name, each in names.items()})
        for name in names:
            os.unlink(name, dir_fd=inner)
    os.rmdir(folder, dir_fd=top)


def _entries(folder: int, is_own: IsOwn) -> dict[str, os.stat_result]:
    """The entries whose names satisfy `is_own`, without following links."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_own(entry.name):
                with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                    found[entry.name] = entry.stat(follow_symlinks=False)
    return found


def _is_file(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode)


def _refuse(path: Path, entries: Mapping[str, os.stat_result]) -> None:
    """Raise UnsafeFileError for the first entry that is not a regular file."""
    for name, found in entries.items():
        if not _is_file(found):
            raise UnsafeFileError(
                errno.EINVAL,
                f"{name} is {kind_of(found)}, which no run creates; nothing of the run was removed",
                str(path),
            )
