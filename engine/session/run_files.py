"""Notices when files of a run are removed, moved or replaced while it is being trained.

Whoever writes to such a file is told nothing by the system. Looks now and then; opens nothing.
"""

import time
from collections.abc import Callable
from typing import Final

from engine.log.directory import RunDirectory
from engine.log.filesystem.identity import FileIdentity, absence
from engine.log.notices import Notice, NoticeKind

_LOOK_SECONDS: Final = 0.5
"""Seconds between two looks."""
WHOLE_RUN: Final = None
"""In place of a variant's name: the files that all variants need."""


class RunFiles:
    """The files of one run: which of them are gone, and why."""

    def __init__(
        self,
        run: RunDirectory,
        session_log: FileIdentity,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: seconds from any start."""
        self._run = run
        self._directory = FileIdentity.of(run.path.resolve())
        self._session_log = session_log
        self._logs: dict[str, FileIdentity] = {}
        self._reported: dict[str, str] = {}
        self._lasting: set[str] = set()
        """The variants whose trouble was reported before the last look.

        A worker that was in the middle of its report may find its file back already.
        """
        self._clock = clock
        self._looked_at = clock()
        self._told: dict[str | None, str] = {}
        """The files that the user was told to be gone: by variant, or WHOLE_RUN."""
        self.is_run_gone = False
        """True while files are gone that all variants need."""

    def learn(self, variant: str, log: FileIdentity) -> None:
        """Take note of the file that a variant's worker writes."""
        self._logs[variant] = log

    def log_of(self, variant: str) -> FileIdentity | None:
        """The file that the variant's workers have written; None before the first had it."""
        return self._logs.get(variant)

    def report(self, variant: str, trouble: str) -> None:
        """Take note of what a worker has found wrong with its log; "": nothing any more."""
        self._reported[variant] = trouble
        self.expire()

    def expire(self) -> None:
        """Look at the next call, however soon it comes."""
        self._looked_at = self._clock() - _LOOK_SECONDS

    def tell_again(self) -> None:
        """Tell once more what is still gone: the user has asked for more."""
        self._told = {WHOLE_RUN: ""} if self.is_run_gone else {}
        self.expire()

    def poll(self) -> list[Notice]:
        """Notices of what is gone, and of what is back; none before it is time to look."""
        if self._clock() - self._looked_at < _LOOK_SECONDS:
            return []
        self._looked_at = self._clock()
        told, gone = self._told, self._find()
        self._told, self.is_run_gone = gone, WHOLE_RUN in gone
        if self.is_run_gone:
            self._reported.clear()  # it may be another trouble once the run is back
        self._lasting = {name for name, trouble in self._reported.items() if trouble}
        back = () if self.is_run_gone else told.keys() - gone.keys()
        return [
            *(_back(name) for name in back),
            *(_gone(name, text) for name, text in gone.items() if text != told.get(name)),
        ]

    @property
    def gone(self) -> tuple[str, ...]:
        """The files that are gone at this moment, each with the reason."""
        return tuple(self._find().values())

    def _find(self) -> dict[str | None, str]:
        run = self._run
        if reason := absence(run.path.resolve(), self._directory):
            return {WHOLE_RUN: f"the run directory {run.path} is gone: {reason}"}
        if reason := absence(run.session_log, self._session_log):
            return {WHOLE_RUN: f"cannot write {run.session_log}: {reason}"}
        if not run.has_run_file:
            return {WHOLE_RUN: f"{run.path} cannot be opened any more: its run.json is gone"}
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
