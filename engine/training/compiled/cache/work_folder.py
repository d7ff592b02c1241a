"""Folders of compilers at work, in the user's cache directory. Imports no torch.

A folder is held by the process that works in it, so that those of killed processes can be told.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.log.filesystem.holding import held, is_held

_WORK: Final = "work-"
_DRAFT: Final = "."
"""Prefix of the name of a folder that is not held yet."""
_at_work: Final[set[Path]] = set()
"""The folders of this process's compilers."""


def default_folder() -> Path:
    """The directory of the user's compiled programs."""
    from platformdirs import user_cache_path  # here, since the import takes 3 ms

    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    root = given / "gdtui" if given.is_absolute() else user_cache_path("gdtui", appauthor=False)
    return root / "builds"


@contextlib.contextmanager
def work_folder(cache: Path) -> Iterator[Path]:
    """A folder for a compiler's files, which goes when it is done. Raises OSError."""
    remove_abandoned(cache)
    draft = Path(tempfile.mkdtemp(prefix=_DRAFT + _WORK, dir=cache))
    folder = draft.with_name(draft.name.removeprefix(_DRAFT))
    _at_work.add(folder)
    try:
        with held(draft):
            draft.rename(folder)
            yield folder
    finally:
        for each in (draft, folder):
            shutil.rmtree(each, ignore_errors=True)
        _at_work.discard(folder)


def abandon_work() -> None:
    """Remove the folders of this process, from a thread that is about to end it."""
    for folder in [*_at_work]:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(cache: Path) -> None:
    """Remove the folders of processes that were killed."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(cache):
            is_work = entry.name.startswith(_WORK) and entry.is_dir(follow_symlinks=False)
            if is_work and not is_held(Path(entry.path)):
                shutil.rmtree(entry.path, ignore_errors=True)
