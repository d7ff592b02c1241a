"""Sources of the screen's records, such as the growing logs of a run. Read-only; knows no widget.

The app reads its own run and another process's run in the same way. A replay
(gdtui/state/replay.py) is another source.
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
from engine.log.reading.loss_block import LossBlock
from engine.log.records import AnyRecord, State, StateChanged, WorkerDied

_SO_FAR: Final = "This is how far it was read"


class ViewerRole(Enum):
    """The viewer's role in the run on screen."""

    TRAINER = "trainer"
    WATCHER = "watcher"
    ATTACHED = "attached"
    """A client of the run's host: its keys have the same effect as the trainer's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """The state of a replay, which has this instead of a ViewerRole."""

    speed: float
    """How many times as fast as the run; infinity jumps to the end at once."""
    is_paused: bool
    has_ended: bool


class RecordSource(Protocol):
    """The records of a run, in the order in which they are read."""

    def portions(self, most: int) -> Iterator[tuple[str, AnyRecord | LossBlock]]:
        """Yield the new records, each with the name of its variant; long stretches are blocks.

        About `most` bytes of each log at most; `has_more` says whether any has more.
        """

    @property
    def has_more(self) -> bool:
        """True if the last `portions` left out records that could be read."""

    @property
    def bytes_read(self) -> int:
        """Bytes read of the variants' logs."""

    def notices(self) -> list[Notice]:
        """Notices of damaged logs, which no record can report; each is returned once."""

    def now(self) -> float:
        """The current time within the run, in seconds since the Unix epoch."""

    @property
    def obeyed(self) -> frozenset[str] | None:
        """Ids of the commands that have an effect; None means all, as the run is trained here."""

    @property
    def role(self) -> ViewerRole | Playback:
        """The viewer's role in the run, for the header."""


class RunTime:
    """The current time of a run: the time of its newest record, advanced by our clock.

    Unaffected by steps of the system clock and by the clocks of other machines.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds since an arbitrary start."""
        self._clock = clock
        self._lead: float | None = None
        """How far the run's clock is ahead of ours."""

    def note(self, wall_time: float) -> None:
        """Note the time of a record that was just read; 0 means unknown."""
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
        """The logs reported as gone; None stands for the whole run directory."""

    def portions(self, most: int) -> Iterator[tuple[str, AnyRecord | LossBlock]]:
        """Yield the records written since the last read."""
        for name, part in self._follower.portions(most):
            self._time.note(part.wall_time)
            yield name, part

    @property
    def has_more(self) -> bool:
        """True if a log had more than the last `portions`."""
        return self._follower.has_more

    @property
    def bytes_read(self) -> int:
        """Bytes read of the variants' logs."""
        return self._follower.bytes_read

    def notices(self) -> list[Notice]:
        """Damage, shown in the bottom line and in the panel of the variant that the log belongs to.

        A watcher also learns which logs are gone or back; a trainer learns that from the session.
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
        """The logs no longer where they were read, with the reasons; None: the whole run."""
        run, absent = self._run, self._follower.absent
        if absent and not run.path.exists():
            return {None: f"{run.path} is gone: it was removed or moved. {_SO_FAR}"}
        gone: dict[str | None, str] = {}
        for name, reason in absent.items():
            log = run.variant_log(name) if name else run.session_log
            gone[name] = f"{log} is gone: {reason}. {_SO_FAR}"
        return gone

    def now(self) -> float:
        """The time of the newest record plus the time elapsed since."""
        return self._time.now()


def damage_notice(run: RunDirectory, damage: LogDamagedError) -> Notice:
    """The notice of a damaged log; damage to the session's log concerns the whole run."""
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
    """Records that close the variants whose logs have neither an end nor a process writing them.

    `at`: when the last record was written. `unbegun`: why a variant may have no log; None means
    that only a kill can explain it.
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
