"""The custody of a run: what a process keeps of it while training it, and can hand on."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.log.filesystem.private import PrivateDirectory


class Custody:
    """The lock that holds a run's directory, and the directory of what the loader found."""

    def __init__(self, handover: "PrivateDirectory | None" = None) -> None:
        self.handover = handover
        """The directory of what the loader found; nothing in the run directory points to it."""
        self._lock: int | None = None
        self._release: Callable[[], object] = lambda: None

    def hold(self, lock: int, release: Callable[[], object]) -> None:
        """Take this lock, which `release` ends."""
        self._lock, self._release = lock, release

    @classmethod
    def taken_over(cls, lock: int, stored: str, owner: int | None) -> "Custody":
        """The custody that another process hands on: its descriptors, and its `stored`."""
        custody = cls()
        custody.hold(lock, _closing(lock))
        if owner is not None:
            from engine.log.filesystem.private import PrivateDirectory

            custody.handover = PrivateDirectory.taken_over(Path(stored), owner)
        return custody

    @property
    def stored(self) -> str:
        """The path of what the loader found; empty if each process rebuilds the problem."""
        return "" if self.handover is None else str(self.handover.path)

    @property
    def locks(self) -> tuple[int, int | None]:
        """The descriptors of the locks, for the process that takes over."""
        assert self._lock is not None
        return self._lock, None if self.handover is None else self.handover.lock

    def hand_on(self) -> None:
        """Leave the run to another process, which has the locks. `stored` remains known here."""
        self.release()
        if self.handover is not None:
            self.handover.hand_on()

    def release(self) -> None:
        """Count the run as running only while one of its logs is being written. Safe to repeat."""
        self._release()
        self._release = lambda: None

    def remove_handover(self) -> None:
        """Remove what the loader found, once no process needs it any more."""
        if self.handover is not None:
            self.handover.remove()


def _closing(file: int) -> Callable[[], None]:
    def close() -> None:
        with contextlib.suppress(OSError):
            os.close(file)

    return close
