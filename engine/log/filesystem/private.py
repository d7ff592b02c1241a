"""Directories of our own beside the runs: for what one process hands over to others of its own."""

import contextlib
import fcntl
import os
import stat
import tempfile
import weakref
from pathlib import Path
from typing import Final

from engine.log.filesystem.removal import remove_tree
from engine.log.filesystem.safe_open import DIRECTORY_MODE, opened, safe_open

_PREFIX: Final = "gdtui-"
_LOCK: Final = "owner"
"""The file that its maker holds a lock on: nobody does once that was killed."""


class PrivateDirectory:
    """A new directory below $TMPDIR that no other user may enter, under a name nobody can guess.

    It is removed by `remove`, else when this process ends; of one that was killed, when the next
    is made.
    """

    def __init__(self) -> None:
        """Raises OSError."""
        _remove_abandoned()
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX)).absolute()
        self.path.chmod(DIRECTORY_MODE)  # whatever the umask
        lock = _held(self.path / _LOCK)
        self._end = weakref.finalize(self, _end, self.path, lock)

    def remove(self) -> None:
        """Remove it with all that is in it. Safe to repeat."""
        self._end()


def remove_private(path: str) -> None:
    """Remove the private directory of another process of this program, if that is what it is."""
    with contextlib.suppress(OSError):
        if Path(path).name.startswith(_PREFIX) and _is_ours(Path(path)):
            remove_tree(Path(path))


def _held(path: Path) -> int:
    """A new file that has its name only once the lock is held."""
    draft = path.with_name(f".{path.name}")
    lock = safe_open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    fcntl.flock(lock, fcntl.LOCK_EX)
    draft.rename(path)
    return lock


def _end(path: Path, lock: int) -> None:
    remove_tree(path)
    os.close(lock)


def _remove_abandoned() -> None:
    """Remove those of this user whose makers were killed."""
    with contextlib.suppress(OSError):
        for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):  # not ours, or gone, or held
                if _is_ours(path) and _is_abandoned(path):
                    remove_tree(path)


def _is_ours(path: Path) -> bool:
    found = path.lstat()
    return (
        stat.S_ISDIR(found.st_mode)
        and stat.S_IMODE(found.st_mode) == DIRECTORY_MODE
        and found.st_uid == os.getuid()
    )


def _is_abandoned(path: Path) -> bool:
    """False where nobody can tell, as in the moment in which it is made."""
    with opened(path / _LOCK) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return True
