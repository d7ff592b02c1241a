"""Private directories outside the run, in which a gdtui process hands data to its workers."""

import contextlib
import copy
import fcntl
import os
import stat
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.log.filesystem.removal import remove_tree
from engine.log.filesystem.safe_open import DIRECTORY_MODE, opened, safe_open

_PREFIX: Final = "gdtui-"
_LOCK: Final = "owner"
"""The file that the creator keeps locked; the lock is gone once the creator has been killed."""


class PrivateDirectory:
    """A new directory below $TMPDIR, closed to other users and with an unguessable name.

    Removed by `remove` or when this process ends. If the process was killed, the next process to
    create such a directory removes it.
    """

    def __init__(self) -> None:
        """Raises OSError."""
        _remove_abandoned()
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX)).absolute()
        self.path.chmod(DIRECTORY_MODE)  # whatever the umask
        self._take(_held(self.path / _LOCK))

    @classmethod
    def taken_over(cls, path: Path, lock: int) -> "PrivateDirectory":
        """The directory of another process that hands it on, with the lock of its owner."""
        taken = cls.__new__(cls)
        taken.path = path
        taken._take(lock)
        return taken

    def _take(self, lock: int) -> None:
        self.lock = lock
        """The descriptor that keeps it."""
        self._end: Callable[[], object] = weakref.finalize(self, _end, self.path, lock)

    def hand_on(self) -> None:
        """Leave it to another process, which has its lock as well."""
        if isinstance(self._end, weakref.finalize) and self._end.detach():
            self._end = lambda: None
            os.close(self.lock)

    def lent(self) -> "PrivateDirectory":
        """The same directory, for users that do not remove it."""
        lent = copy.copy(self)
        lent._end = lambda: self  # keeps the owner, which would remove it when it goes
        return lent

    def remove(self) -> None:
        """Remove it with all that is in it. Safe to repeat."""
        self._end()


def remove_private(path: str) -> None:
    """Remove the private directory of another gdtui process, if `path` really is one."""
    with contextlib.suppress(OSError):
        if Path(path).name.startswith(_PREFIX) and is_private(Path(path)):
            remove_tree(Path(path))


def _held(path: Path) -> int:
    """Create and lock a file that gets its name only once the lock is held."""
    draft = path.with_name(f".{path.name}")
    lock = safe_open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    fcntl.flock(lock, fcntl.LOCK_EX)
    draft.rename(path)
    return lock


def _end(path: Path, lock: int) -> None:
    remove_tree(path)
    os.close(lock)


def _remove_abandoned() -> None:
    """Remove this user's directories whose creator was killed."""
    with contextlib.suppress(OSError):
        for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):  # not ours, or gone, or held
                if is_private(path) and _is_abandoned(path):
                    remove_tree(path)


def is_private(path: Path) -> bool:
    """True if only this user may enter this directory. Raises OSError."""
    found = path.lstat()
    return (
        stat.S_ISDIR(found.st_mode)
        and stat.S_IMODE(found.st_mode) == DIRECTORY_MODE
        and found.st_uid == os.getuid()
    )


def _is_abandoned(path: Path) -> bool:
    """True if no process holds its lock; OSError if one does, or if there is no lock file yet."""
    with opened(path / _LOCK) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return True
