"""The ends of tracked runs: that of their process, and of a process forked from it."""

import atexit
import os
import sys
from typing import Final, Protocol


class Ending(Protocol):
    """Something that must end with its process."""

    def close(self) -> None:
        """Write what is left, and close files and socket."""

    def forget(self) -> None:
        """Let go of files and socket, which belong to the parent of this process."""


_open: Final[list[Ending]] = []


def remember(run: Ending) -> None:
    """Close the run at the end of this process, and keep it out of forked processes."""
    _open.append(run)


def forget(run: Ending) -> None:
    """Do nothing more at the end of this process: the run has been closed. Safe to repeat."""
    if run in _open:
        _open.remove(run)


def uncaught() -> BaseException | None:
    """The exception with which the script ends; None if it ends in order, or goes on."""
    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return error if isinstance(error, BaseException) else None


def _close_all() -> None:
    for run in [*_open]:
        run.close()


def _forget_all() -> None:
    for run in [*_open]:
        run.forget()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_forget_all)
