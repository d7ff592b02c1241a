"""Sources of the screen's records: a run's logs, as they grow. Reads; knows no widget.

The app reads its own run and somebody else's alike; a replay (gdtui/state/replay.py) is another
source.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from engine.log.directory import RunDirectory
from engine.log.file import LogDamagedError
from engine.log.follow import Follower
from engine.log.notices import Notice, NoticeKind
from engine.log.records import AnyRecord, State, StateChanged, WorkerDied

_SO_FAR: Final = "This is how far it was read"


class ViewerRole(Enum):
    """The viewer's role in the run that is shown."""

    TRAINER = "trainer"
    WATCHER = "watcher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """The state of a replay; in place of a ViewerRole."""

    speed: float
    """Times as fast as the run went; infinite: to its end at once."""
    is_paused: bool
    has_ended: bool


class RecordSource(Protocol):
    """The records of a run, in the order of reading."""

    def read(self, limit: int) -> Iterator[tuple[str, AnyRecord]]:
        """Yield the new records, about `limit` at most, each with the name of its variant."""

    def notices(self) -> list[Notice]:
        """Notices of damaged logs, which no record can tell; each once."""

    def now(self) -> float:
        """The time that the run is at, in seconds since the Unix epoch."""

    @property
    def obeyed(self) -> frozenset[str] | None:
        """Ids of the commands that have an effect; None: all, since the run is trained here."""

    @property
    def role(self) -> ViewerRole | Playback:
        """The viewer's role in the run, for the header."""


class RunTime:
    """The time that a run is at: that of its newest record, carried on by a clock of our own.

    Neither a step of the system's clock nor another machine's idea of the time moves it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds from any start."""
        self._clock = clock
        self._lead: float | None = None
        """How far the run's clock is ahead of ours."""

    def note(self, wall_time: float) -> None:
        """Take note of the time of a record that was just read; 0: unknown."""
        if wall_time:
            lead = wall_time - self._clock()
            self._lead = lead if self._lead is None else max(lead, self._lead)

    def now(self) -> float:
        """Seconds since the Unix epoch; 0 before any record."""
        return 0.0 if self._lead is None else self._lead + self._clock()


class LogSource:
    """The logs of a run that is trained here."""

    role = ViewerRole.TRAINER
    obeyed: frozenset[str] | None = None

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._follower = Follower(run)
        self._time = RunTime()
        self._damage_told = 0
        self._gone: dict[str | None, str] = {}
        """The logs that the user was told to be gone; None: all of the run."""

    def read(self, limit: int) -> Iterator[tuple[str, AnyRecord]]:
        """Yield the records written since."""
        for name, record in self._follower.read(limit):
            self._time.note(record.wall_time)
            yield name, record

    def notices(self) -> list[Notice]:
        """Damage, in the bottom line and in the panel of the variant whose log it is.

        For a watcher also what is gone or back: whoever trains a run hears of it from the session.
        """
        new = self._follower.damage[self._damage_told :]
        self._damage_told += len(new)
        notices = [damage_notice(self._run, damage) for damage in new]
        return notices + (self._changes_of_place() if self.role is ViewerRole.WATCHER else [])

    def _changes_of_place(self) -> list[Notice]:
        before, gone = self._gone, self.gone
        self._gone = gone
        back = () if None in gone else before.keys() - gone.keys()
        return [
            *(
                Notice(kind=NoticeKind.LOG_UNBLOCKED, variant=name, text="log read again")
                for name in back
            ),
            *(
                Notice(kind=NoticeKind.LOG_GONE, variant=name, text=text)
                for name, text in gone.items()
                if text != before.get(name)
            ),
        ]

    @property
    def gone(self) -> dict[str | None, str]:
        """The logs that are not where they were read, with the reasons; None: all of the run."""
        run, absent = self._run, self._follower.absent
        if absent and not run.path.exists():
            return {None: f"{run.path} is gone: it was removed or moved. {_SO_FAR}"}
        gone: dict[str | None, str] = {}
        for name, reason in absent.items():
            log = run.variant_log(name) if name else run.session_log
            gone[name] = f"{log} is gone: {reason}. {_SO_FAR}"
        return gone

    def now(self) -> float:
        """The time of the newest record, and what has passed since."""
        return self._time.now()


def damage_notice(run: RunDirectory, damage: LogDamagedError) -> Notice:
    """The notice of a damaged log; it is about the whole run when the log is the session's."""
    name = damaged_variant(run, damage)
    kind = NoticeKind.DIED if name else NoticeKind.SERVER_DIED
    return Notice(kind=kind, variant=name, text=str(damage))


def damaged_variant(run: RunDirectory, damage: LogDamagedError) -> str | None:
    """The variant whose log is damaged; None for the session's log."""
    names = (variant.name for variant in run.info.settings.variants)
    return next((name for name in names if damage.path == run.variant_log(name)), None)


def closing_records(
    run: RunDirectory,
    unfinished: Iterable[str],
    damage: Iterable[LogDamagedError],
    at: float,
    unbegun: str | None = None,
) -> Iterator[tuple[str, AnyRecord]]:
    """Records that close the variants whose logs have no end and are written by nobody any more.

    `at`: when the last record was written. `unbegun`: why a variant may have no log; None: there is
    no reason but a kill.
    """
    stopped = {damaged_variant(run, each): str(each) for each in damage}
    if unbegun is not None:
        stopped |= {
            variant.name: unbegun
            for variant in run.info.settings.variants
            if not run.variant_log(variant.name).exists()
        }
    for name in unfinished:
        if name in stopped:
            yield (
                name,
                StateChanged(generation=0, state=State.STOPPED, detail=stopped[name], wall_time=at),
            )
        else:
            detail = "its log ends early: the process that trained it was killed"
            yield name, WorkerDied(variant=name, detail=detail, wall_time=at)
