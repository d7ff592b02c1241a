"""The ends of a record of a Trainer: by the script, a fault, an exception or a fork."""

import contextlib
import traceback
from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, Protocol

from engine.tracking.journal import Journal
from engine.tracking.lifetime import forget, uncaught
from engine.tracking.opening import is_off
from engine.tracking.record.background import OneWarning
from engine.tracking.trainers.levers import TrainerLevers

P = ParamSpec("P")


class GivesUp(Protocol):
    """A record that can end early."""

    def give_up(self, error: Exception) -> None:
        """Train on without a record."""


def guarded(method: Callable[Concatenate[Any, P], None]) -> Callable[Concatenate[Any, P], None]:
    """Have a fault in the method end the record, and nothing else."""

    def guard(self: GivesUp, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            self.give_up(error)

    return update_wrapper(guard, method)


class EndingRecord:
    """A record that ends once, and whose end leaves the training alone."""

    def __init__(self) -> None:
        self.journal: Journal | None = None
        """The record once it has begun; None after its end."""
        self.is_off: Final = is_off()
        """True if the user has switched tracking off."""
        self._has_ended = self.is_off
        self._levers = TrainerLevers(None, 1, None)
        self._warn = OneWarning()

    @property
    def is_recording(self) -> bool:
        """False if tracking is switched off, or after a fault."""
        return not self._has_ended

    @property
    def path(self) -> Path | None:
        """The directory of the run; None before it begins, and if nothing is recorded."""
        return None if self.journal is None else self.journal.session.run.path

    def _take_journal(self) -> Journal | None:
        journal, self.journal = self.journal, None
        self._has_ended = True
        return journal

    @guarded
    def fail(self, error: BaseException) -> None:
        """Record an exception that ends the training, and close the run's files."""
        self._levers.release()
        if (journal := self._take_journal()) is not None:
            forget(self)
            journal.end(error, "".join(traceback.format_exception(error)))

    def give_up(self, error: Exception) -> None:
        """Train on without a record."""
        journal = self._take_journal()
        self._warn(
            f"this run is not recorded any more ({type(error).__name__}: {error}). Training goes on"
        )
        with contextlib.suppress(Exception):
            self._levers.release()
            if journal is not None:
                journal.background.close()

    def close(self) -> None:
        """Write what is left and close the run's files, as the end of the script does."""
        forget(self)
        if (journal := self._take_journal()) is None:
            return
        try:
            error = uncaught()
            lines = "".join(traceback.format_exception(error)) if error is not None else ""
            journal.end(error, lines)
        except Exception as fault:
            self.give_up(fault)

    def forget(self) -> None:
        """Let go of everything in a forked process, whose parent goes on with the run."""
        forget(self)
        if (journal := self._take_journal()) is not None:
            journal.background.abandon()
