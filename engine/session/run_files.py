"""Detects when files of a run are removed, moved or replaced while it is being trained.

The system reports no error when a process writes to such a file. The check is periodic and opens no
file.
"""

import time
from collections.abc import Callable
from typing import Final

from engine.log.directory import RunDirectory
from engine.log.filesystem.identity import FileIdentity, absence
from engine.log.notices import Notice, NoticeKind

_LOOK_SECONDS: Final = 0.5
"""Seconds between two checks."""
WHOLE_RUN: Final = None
"""Stands in place of a variant's name for the files that all variants need."""


class RunFiles:
    """The files of a run: which of them are gone, and why."""

    def __init__(
        self,
        run: RunDirectory,
        session_log: FileIdentity,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` returns seconds, counted from any moment."""
        self._run = run
        self._directory = FileIdentity.of(run.path.resolve())
        self._session_log = session_log
        self._logs: dict[str, FileIdentity] = {}
        self._reported: dict[str, str] = {}
        self._lasting: set[str] = set()
        """The variants whose trouble was already reported at the last check.

        Newer reports are ignored until the next check, since the file may be back by then.
        """
        self._clock = clock
        self._looked_at = clock()
        self._told: dict[str | None, str] = {}
        """Missing files that were reported to the user, by variant or WHOLE_RUN."""
        self.is_run_gone = False
        """True while files that all variants need are gone."""

    def learn(self, variant: str, log: FileIdentity) -> None:
        """Record the identity of the file that a variant's worker writes."""
        self._logs[variant] = log

    def log_of(self, variant: str) -> FileIdentity | None:
        """The file that the variant's workers write; None before the first one has opened it."""
        return self._logs.get(variant)

    def report(self, variant: str, trouble: str) -> None:
        """Record the problem that a worker reports with its log; "" means it is solved."""
        self._reported[variant] = trouble
        self.expire()

    def expire(self) -> None:
        """Make the next `poll` check the files, however soon it comes."""
        self._looked_at = self._clock() - _LOOK_SECONDS

    def tell_again(self) -> None:
        """Report again which files are still gone, since the user tried to resume."""
        self._told = {WHOLE_RUN: ""} if self.is_run_gone else {}
        self.expire()

    def poll(self) -> list[Notice]:
        """Notices about files that are gone or back; none before the next check is due."""
        if self._clock() - self._looked_at < _LOOK_SECONDS:
            return []
        self._looked_at = self._clock()
        told, gone = self._told, self._find()
        self._told, self.is_run_gone = gone, WHOLE_RUN in gone
        if self.is_run_gone:
            self._reported.clear()  # the trouble may be a different one once the run is back
        self._lasting = {name for name, trouble in self._reported.items() if trouble}
        back = () if self.is_run_gone else told.keys() - gone.keys()
        return [
            *(_back(name) for name in back),
            *(_gone(name, text) for name, text in gone.items() if text != told.get(name)),
        ]

    @property
    def gone(self) -> tuple[str, ...]:
        """Messages about the files that are gone now, each with the reason."""
        return tuple(self._find().values())

    def _find(self) -> dict[str | None, str]:
        run = self._run
        if reason := absence(run.path.resolve(), self._directory):
            return {WHOLE_RUN: f"the run directory {run.path} is gone: {reason}"}
        if reason := absence(run.session_log, self._session_log):
            return {WHOLE_RUN: f"cannot write {run.session_log}: {reason}"}
        if not run.has_run_file:
            return {WHOLE_RUN: f"{run.path} can no longer be opened: its run.json is gone"}
        gone: dict[str | None, str] = {}
        for name, identity in self._logs.items():
            log = run.variant_log(name)
            if reason := absence(log, identity):
                gone[name] = f"cannot write {log}: {reason}"
            elif name in self._lasting and self._reported[name]:
                gone[name] = self._reported[name]
        return gone


def _gone(variant: str | None, text: str) -> Notice:
    return Notice(kind=NoticeKind.LOG_GONE, variant=variant, text=text)


def _back(variant: str | None) -> Notice:
    return Notice(kind=NoticeKind.LOG_UNBLOCKED, variant=variant, text="log written again")
