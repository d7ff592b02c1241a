"""A replay of a run that has ended: a source that yields each record when it is due.

Owns the time of the replay: its speed, and whether it is paused. Reads the logs as it plays, never
all of them at once. Controls nothing but itself.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from engine.log.directory import RunDirectory
from engine.log.file import LogDamagedError, LogReader
from engine.log.notices import Notice
from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    CommandSent,
    Planned,
    Started,
    State,
    StateChanged,
    WorkerDied,
    WorkerReplaced,
)
from gdtui.state.record_source import Playback, closing_records, damage_notice

SPEEDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
"""Speeds, as multiples of the run's speed."""


_STEP: Final = 0.25
"""Seconds by which times must disagree before the clock is assumed to have been set back."""
_RECORD_BYTES: Final = 1 << 10
"""Bytes of a portion for which one record is read: a typical size."""
_LONGEST_SILENCE: Final = 3.0
"""Longest unexplained gap in seconds; longer ones, from a clock set forward, are cut to it."""


class _Track:
    """A log with the time of its next record.

    Logs of older versions hold times of the system clock, which may have been set meanwhile. A step
    back shows, since no less time can have passed than the seconds of training.
    """

    def __init__(self, name: str | None, reader: LogReader) -> None:
        """`name`: the variant; None for the session's log."""
        self.reader = reader
        self.damage: LogDamagedError | None = None
        self.time = 0.0
        """Time at which `record` was written, never earlier than the previous record's."""
        self.record: AnyRecord | None = None
        self.trained = 0.0
        """Seconds of training between the previous record and this one."""
        self._name = name
        self._records = iter(reader)
        self._base = self._seconds = self._shift = 0.0
        self.advance()

    @property
    def name(self) -> str:
        """The variant that the next record is about."""
        if self._name is not None:
            return self._name
        assert isinstance(self.record, CommandSent | WorkerDied | WorkerReplaced)
        return self.record.variant

    def advance(self) -> None:
        """Go to the next record; it becomes None at the end."""
        try:
            self.record = next((each for each in self._records if self._is_wanted(each)), None)
        except LogDamagedError as error:
            self.record, self.damage = None, error
        if self.record is not None:
            self._place(self.record)

    def _is_wanted(self, record: AnyRecord) -> bool:
        return self._name is not None or isinstance(
            record, CommandSent | WorkerDied | WorkerReplaced
        )

    def _place(self, record: AnyRecord) -> None:
        """Work out a record's time; after a step back, all times are shifted by its length."""
        before, self.trained = self._seconds, 0.0
        if isinstance(record, Started):
            began = self._time_of(record)
            self._base, self._seconds = self.time if began is None else began, 0.0
        elif isinstance(record, Chunk):
            self._seconds = record.seconds + record.duration
            self.trained = max(self._seconds - before, 0.0)
        earliest, found = self.time + self.trained, self._time_of(record)
        if found is not None and self.time and found < earliest - _STEP:
            self._shift += earliest - found
            found = earliest
        self.time = max(self.time, found or 0.0)

    def _time_of(self, record: AnyRecord) -> float | None:
        """The time of writing; for imported losses, which have none, the seconds of training."""
        if record.wall_time:
            return record.wall_time + self._shift
        return self._base + self._seconds if isinstance(record, Chunk) else None


class _Silence:
    """Judges the time between two records of a run, whichever logs they are in."""

    def __init__(self, names: Iterable[str]) -> None:
        self._states = dict.fromkeys(names, State.RUNNING)
        self._started: dict[str, Started] = {}
        self._is_steady = False
        """The run was timed with its own clock, which cannot be set."""

    def add(self, name: str, record: AnyRecord) -> None:
        """Take note of the next record of the run."""
        match record:
            case StateChanged():
                self._states[name] = record.state
                self._is_steady |= record.worker > 0
            case Started():
                self._started[name] = record
            case Changed() if name in self._started:
                self._started[name] = replace(self._started[name], settings=record.settings)
            case Planned() if name in self._started:
                self._started[name] = replace(self._started[name], pace=record.pace)

    def excess(self, seconds: float, trained: float) -> float:
        """Seconds of the gap that no pause, pace or training explains."""
        going = [name for name, state in self._states.items() if state is State.RUNNING]
        if self._is_steady or not going or seconds <= _LONGEST_SILENCE:
            return 0.0
        pace = max((_update_seconds(self._started.get(name)) for name in going), default=0.0)
        return max(seconds - trained - 2 * pace - _LONGEST_SILENCE, 0.0)


def _update_seconds(started: Started | None) -> float:
    """Seconds between two updates at the requested pace; 0 without one."""
    if started is None or not started.pace or not started.n:
        return 0.0
    return started.settings.resolve(started.n).effective_batch / started.n / started.pace


class Replay:
    """The records of a run in the order in which they were written, each at its time."""

    def __init__(
        self, run: RunDirectory, speed: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock`: seconds since an arbitrary start. The replay begins with the first read."""
        self._run = run
        self._clock = clock
        logs = [(each.name, run.variant_log(each.name)) for each in run.info.settings.variants]
        self._variants = [_Track(name, LogReader(path)) for name, path in logs]
        self._tracks = [
            *self._variants,
            _Track(None, LogReader(run.session_log, [name for name, _ in logs])),
        ]
        self._position = min((track.time for track in self._tracks if track.record), default=0.0)
        self._reached = self._position
        self._silence = _Silence(name for name, _ in logs)
        self._cut = 0.0
        """Seconds of gaps skipped so far."""
        self._since: float | None = None
        self._told: list[LogDamagedError] = []
        self.speed = speed
        self.is_paused = False
        self.has_ended = False
        self.has_more = False
        self.bytes_read = 0  # nothing is waited for
        """True if the last portions ended before the records that are due."""

    # --- As a source ----------------------------------------------------------------------------

    def portions(self, most: int) -> Iterator[tuple[str, AnyRecord]]:
        """Yield the records that are due, one for `_RECORD_BYTES` bytes, whatever their size."""
        limit = max(most // _RECORD_BYTES, 1)
        count = 0
        for name, record in self.read(limit):
            count += 1
            yield name, record
        self.has_more = count >= limit

    def read(self, limit: int) -> Iterator[tuple[str, AnyRecord]]:
        """Yield the records that are due, at most `limit`.

        At the end, yields the records that close unfinished logs.
        """
        if self._since is None:
            self._since = self._clock()
        until = self._time()
        for _ in range(limit):
            track = min(self._tracks, key=lambda each: each.time if each.record else math.inf)
            if track.record is None:
                yield from self._end()
                return
            silence = track.time - self._cut - self._reached
            self._cut += self._silence.excess(silence, track.trained)
            time = track.time - self._cut
            if time > until:
                return
            self._reached = max(self._reached, time)
            name, record = track.name, track.record
            self._silence.add(name, record)
            yield name, replace(record, wall_time=time)
            track.advance()

    def _end(self) -> Iterator[tuple[str, AnyRecord]]:
        if self.has_ended:
            return
        self.has_ended = True
        variants = self._run.info.settings.variants
        unfinished = [
            variant.name
            for variant, track in zip(variants, self._variants, strict=True)
            if not track.reader.is_complete
        ]
        yield from closing_records(self._run, unfinished, self._damage(), self._reached)

    def _damage(self) -> list[LogDamagedError]:
        return [track.damage for track in self._tracks if track.damage is not None]

    def notices(self) -> list[Notice]:
        """Damage, reported when the replay reaches it."""
        new = [damage for damage in self._damage() if damage not in self._told]
        self._told += new
        return [damage_notice(self._run, damage) for damage in new]

    def now(self) -> float:
        """The time of day at the replay's position in the run."""
        return self._reached if self.has_ended or math.isinf(self.speed) else self._time()

    obeyed = frozenset({"pause", "pace", "free"})

    @property
    def role(self) -> Playback:
        """The speed and the state of the replay."""
        return Playback(speed=self.speed, is_paused=self.is_paused, has_ended=self.has_ended)

    # --- Time -----------------------------------------------------------------------------------

    def pause(self, wanted: bool) -> None:
        """Pause, or resume."""
        self._settle()
        self.is_paused = wanted

    def set_speed(self, speed: float) -> None:
        """Set the speed as a multiple of the run's; infinity plays the rest at once."""
        self._settle()
        self.speed = speed

    def _settle(self) -> None:
        """Continue from the present position after a change of speed or a pause."""
        self._position = self.now()
        self._since = self._clock() if self._since is not None else None

    def _time(self) -> float:
        """The time up to which records are due."""
        if self._since is None or self.is_paused:
            return self._position
        if math.isinf(self.speed):
            return math.inf
        return self._position + (self._clock() - self._since) * self.speed
