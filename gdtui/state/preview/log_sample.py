"""A sample of one log: its beginning, its end, and parts in between where the curve is longest.

The next part is always taken in the middle of the longest gap between parts, on any x axis. So it
is spread over the whole length of the curve, whatever the batch sizes were.
"""

import heapq
from typing import Final, NamedTuple

from engine.log.reading.decode import RecordError
from engine.log.reading.probes import LogPart, LogProbe
from engine.log.records import Chunk

LOSSES: Final = 48
"""Losses taken at a place, about: the band of a column of cells needs some."""
SHORT: Final = 1 << 16
"""Bytes of a log that is read as a whole."""
NARROW: Final = 1 << 13
"""Bytes between two parts that are read as a whole."""
_OTHER_GENERATION: Final = 3.0
_OTHER_SETTINGS: Final = 2.0
"""Gaps within which a generation or other settings begin come before the longest ones, which have
at most 1: the records in which they begin are looked for."""
_MOST_HUNTED: Final = 12
"""Changes of settings that are looked for: a warm-up of the batch size has very many."""


class LogSample:
    """Parts of a log. Raises RecordError, OSError."""

    def __init__(self, probe: LogProbe) -> None:
        """At first it has the beginning and the end."""
        self._probe = probe
        self._bounded: dict[int, tuple[_Bound | None, _Bound | None]] = {}
        self._gaps: list[tuple[float, int, LogPart, LogPart]] = []
        """A heap; the second entry makes each of them different."""
        self._hunted: set[tuple[object, object]] = set()
        self._parts: list[LogPart] = []
        if probe.size - probe.begin <= SHORT:
            self._parts.append(probe.between(probe.begin, probe.size))
            return
        first, last = probe.first(LOSSES), probe.last(LOSSES)
        if first is None or last is None or last.start < first.stop:
            raise RecordError("its records are too long for a sample")
        if not (first.chunks and last.chunks):
            raise RecordError("its losses are too far apart for a sample")
        self._end = _last(last.chunks[-1])
        self._parts = [first, last]
        self._open(first, last)

    @property
    def parts(self) -> list[LogPart]:
        """The parts so far, in their order."""
        return sorted(self._parts, key=lambda part: part.start)

    def take(self, places: int) -> bool:
        """Take parts from some more places; False if all of the log is taken."""
        for _ in range(places):
            if not self._gaps:
                return False
            _, _, left, right = heapq.heappop(self._gaps)
            self._split(left, right)
        return True

    def _split(self, left: LogPart, right: LogPart) -> None:
        """Take a part from the middle of a gap, or all of it if it is narrow."""
        start, stop = left.stop, right.start
        if stop - start <= NARROW:
            self._parts.append(self._probe.between(start, stop))
            return
        found = self._probe.near((start + stop) // 2, stop, LOSSES)
        if found is not None:
            self._parts.append(found)
            self._open(left, found)
            self._open(found, right)

    def _open(self, left: LogPart, right: LogPart) -> None:
        """Note a gap between two parts, by its length."""
        if left.stop < right.start:
            before, after = self._bounds(left)[1], self._bounds(right)[0]
            if before is not None and after is not None:
                urgency = self._urgency(before, after)
                heapq.heappush(self._gaps, (-urgency, left.stop, left, right))

    def _bounds(self, part: LogPart) -> tuple["_Bound | None", "_Bound | None"]:
        """The first and the last batch of a part."""
        if part.start not in self._bounded:
            chunks = part.chunks
            self._bounded[part.start] = (
                (_first(chunks[0]), _last(chunks[-1])) if chunks else (None, None)
            )
        return self._bounded[part.start]

    def _urgency(self, before: "_Bound", after: "_Bound") -> float:
        if before.generation != after.generation:
            return _OTHER_GENERATION
        if before.settings != after.settings:
            self._hunted.add((before.settings, after.settings))
            if len(self._hunted) <= _MOST_HUNTED:
                return _OTHER_SETTINGS
        total = self._end
        return min(
            max(
                (after.samples - before.samples) / total.samples,
                (after.updates - before.updates) / total.updates,
                (after.seconds - before.seconds) / total.seconds if total.seconds else 0.0,
                0.0,
            ),
            1.0,
        )


class _Bound(NamedTuple):
    """A place before or after a batch."""

    generation: int
    settings: tuple[object, ...]
    """Those in force, as far as a chunk has them, and unless they change within it."""
    samples: int
    updates: int
    seconds: float


def _first(chunk: Chunk) -> _Bound:
    """The place before a chunk."""
    return _Bound(
        chunk.generation, _settings(chunk), chunk.samples, chunk.update - 1, chunk.seconds
    )


def _last(chunk: Chunk) -> _Bound:
    """The place after a chunk."""
    return _Bound(
        chunk.generation,
        _settings(chunk),
        chunk.end_samples,
        chunk.last_update,
        chunk.seconds + chunk.duration,
    )


def _settings(chunk: Chunk) -> tuple[object, ...]:
    lr = chunk.lr if isinstance(chunk.lr, float) else 0.0
    return chunk.batch_size, chunk.accumulation_steps, lr
