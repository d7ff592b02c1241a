"""Scripts of a run that were killed while others of the same run train on."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from engine.log.directory import RunDirectory
from engine.log.file import LogDamagedError
from engine.log.filesystem.holding import is_locked
from engine.log.records import AnyRecord
from gdtui.state.record_source import closing_records

_LOOK_SECONDS: Final = 1.0
"""Seconds between two looks at the locks; a log found unlocked in both has no writer."""


class KilledScripts:
    """Closes the variants of killed scripts: each script holds the lock of its own log alone."""

    def __init__(self, run: RunDirectory, clock: Callable[[], float]) -> None:
        self._run, self._clock = run, clock
        self._suspects: set[str] = set()
        """Variants whose log was unlocked at the last look, and has had no record since."""
        self.closed: set[str] = set()
        self._look_at = 0.0

    def note_record(self, name: str) -> None:
        """Note that a variant's log has been written."""
        self._suspects.discard(name)

    def closing(
        self, unfinished: Iterable[str], damage: Iterable[LogDamagedError], at: float
    ) -> Iterator[tuple[str, AnyRecord]]:
        """The records that close the variants found without a writer, once each.

        `unfinished`: those without an end record. `at`: when the last record was written.
        """
        if not self._run.info.settings.is_script or self._clock() < self._look_at:
            return
        self._look_at = self._clock() + _LOOK_SECONDS
        left = [name for name in unfinished if name not in self.closed]
        unlocked = {name for name in left if self._is_left(name)}
        killed, self._suspects = unlocked & self._suspects, unlocked
        self.closed |= killed
        yield from closing_records(self._run, sorted(killed), damage, at)

    def _is_left(self, name: str) -> bool:
        log = self._run.variant_log(name)
        return log.exists() and not is_locked(log)
