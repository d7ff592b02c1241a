"""The records of a run that another process trains, or that has ended. Controls nothing.

Reports a run that was killed as ended, which its logs cannot.
"""

import time
from collections.abc import Callable, Iterator
from typing import Final

from engine.log.directory import RunDirectory
from engine.log.reading.loss_block import LossBlock
from engine.log.records import AnyRecord
from gdtui.state.overlay.killed_scripts import KilledScripts
from gdtui.state.record_source import LogSource, ViewerRole, closing_records
from gdtui.state.stored_runs import is_running

_LOOK_SECONDS: Final = 1.0
"""Seconds between checks of a run whose logs are read to the end, or may have no writer left."""


class WatchSource(LogSource):
    """The logs of a run that another process trains."""

    role = ViewerRole.WATCHER
    obeyed: frozenset[str] | None = frozenset()
    rest_seconds: float = _LOOK_SECONDS
    """Seconds until logs that were read to the end are read again."""

    def __init__(
        self,
        run: RunDirectory,
        clock: Callable[[], float] = time.monotonic,
        is_written: Callable[[RunDirectory], bool] = is_running,
        unbegun: str | None = None,
    ) -> None:
        """`clock` returns seconds since an arbitrary start.

        `is_written` returns True while a process writes the run or is about to. `unbegun`: why a
        variant has no log, reported once no process is writing the run.
        """
        super().__init__(run)
        self._clock = clock
        self._is_written = is_written
        self._unbegun = unbegun
        self._killed = KilledScripts(run, clock)
        self._looked_at = -_LOOK_SECONDS
        self._rests_until = 0.0
        self._has_ended = False
        self._last_time = 0.0

    def portions(self, most: int) -> Iterator[tuple[str, AnyRecord | LossBlock]]:
        """New records and, once no process is writing, how the unfinished variants ended."""
        if self._clock() < self._rests_until:
            return
        is_quiet = True
        for name, part in super().portions(most):
            is_quiet = False
            self._last_time = max(self._last_time, part.wall_time)
            self._killed.note_record(name)
            yield name, part
        if not is_quiet:
            yield from self._close_killed()
            return
        if self._has_ended or not self._unfinished():
            self._rests_until = self._clock() + self.rest_seconds
        elif self._is_over():
            self._has_ended = True
            # Its last records may have been written after the read above.
            yield from super().portions(most)
            yield from closing_records(
                self._run,
                self._unfinished(),
                self._follower.damage,
                self._last_time,
                self._unbegun,
            )
        else:
            yield from self._close_killed()

    def _unfinished(self) -> list[str]:
        return [name for name in self._follower.unfinished() if name not in self._killed.closed]

    def _close_killed(self) -> Iterator[tuple[str, AnyRecord]]:
        return self._killed.closing(self._unfinished(), self._follower.damage, self._last_time)

    def _is_over(self) -> bool:
        now = self._clock()
        if now - self._looked_at < _LOOK_SECONDS:
            return False
        self._looked_at = now
        return not (self.gone or self._is_written(self._run))


class HostedSource(WatchSource):
    """The logs of a run that a host trains for this terminal, which has started it."""

    role = ViewerRole.TRAINER
    obeyed: frozenset[str] | None = None
    rest_seconds = 0.0


class AttachedSource(HostedSource):
    """The logs of a run that a host trains at our command."""

    role = ViewerRole.ATTACHED


class ProgramSource(AttachedSource):
    """The logs of a program that a host runs: no command changes how it trains."""

    obeyed = frozenset()
