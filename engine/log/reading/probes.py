"""Parts of a log read without those before them, so that a long log can be sampled.

A record is recognised by its checksums. Its place among the others is not checked here.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from engine.log.reading.decode import decode_records
from engine.log.reading.frames import LENGTH, OVERHEAD, split
from engine.log.records import AnyRecord, Chunk

_WINDOWS: Final = (1 << 11, 1 << 14, 1 << 17, 1 << 20)
"""Bytes read at a place: more only if these hold no whole record. A longer one is not found."""
_TAG: Final = b"\xa4type"
"""The first key of every record, which begins with the size of its map."""
_HEADERS: Final = {1: range(0x80, 0x90), 3: range(0xDE, 0xDF)}
"""First bytes of a map, by the number of bytes that give its size."""


@dataclass(frozen=True, slots=True)
class LogPart:
    """Consecutive records of a log, and the bytes that they take."""

    start: int
    stop: int
    records: tuple[AnyRecord, ...]

    @property
    def chunks(self) -> list[Chunk]:
        """Those of the records that hold losses."""
        return [each for each in self.records if isinstance(each, Chunk)]


class LogProbe:
    """A log file up to its present end, of which any part is read. Raises RecordError, OSError."""

    def __init__(self, file: int, begin: int) -> None:
        """`file`: a descriptor, which the caller closes. `begin`: bytes before the first record."""
        self._file = file
        self.begin = begin
        self.size = os.fstat(file).st_size

    def first(self, losses: int) -> LogPart | None:
        """The first records, up to about this many losses; None if there are none."""
        found = self.near(self.begin, self.size, losses)
        return found if found is not None and found.start == self.begin else None

    def last(self, losses: int) -> LogPart | None:
        """The last whole records, from about this many losses on; None if they cannot be found."""
        for window in _WINDOWS[1:]:
            start = max(self.size - window, self.begin)
            data = self._read(start, self.size)
            for begin in _beginnings(data):
                if payloads := split(data[begin:]).payloads:
                    break
            else:
                continue
            records = _decoded(payloads)
            first = _last_from(records, losses)
            if first is not None or start == self.begin:
                skipped = payloads[: first or 0]
                at = start + begin + sum(map(len, skipped)) + OVERHEAD * len(skipped)
                return _part(at, payloads[first or 0 :], records[first or 0 :])
        return None

    def near(self, place: int, stop: int, losses: int) -> LogPart | None:
        """Records from the first that begins at this place or later, and ends before `stop`.

        There are losses among them unless those are far away.
        """
        found: LogPart | None = None
        for window in _WINDOWS:
            data = self._read(place, min(place + window, stop))
            for begin in _beginnings(data):
                if payloads := split(data[begin:]).payloads:
                    found = _up_to(place + begin, payloads, losses)
                    break
            if place + window >= stop or (found is not None and found.chunks):
                break
        return found

    def between(self, start: int, stop: int) -> LogPart:
        """All whole records between two places, of which the first one begins a record."""
        payloads = split(self._read(start, stop)).payloads
        return _part(start, payloads, _decoded(payloads))

    def _read(self, start: int, stop: int) -> bytes:
        return os.pread(self._file, max(stop - start, 0), start)


def _up_to(start: int, payloads: list[bytes], losses: int) -> LogPart:
    """The first of these records, up to the chunk after which there are so many losses."""
    records, found = _decoded(payloads), 0
    for place, record in enumerate(records):
        if isinstance(record, Chunk):
            if found >= losses:
                return _part(start, payloads[:place], records[:place])
            found += record.batches
    return _part(start, payloads, records)


def _decoded(payloads: list[bytes]) -> list[AnyRecord | None]:
    records, error = decode_records(payloads)
    if error is not None:
        raise error
    return records


def _part(start: int, payloads: list[bytes], records: list[AnyRecord | None]) -> LogPart:
    stop = start + sum(map(len, payloads)) + OVERHEAD * len(payloads)
    return LogPart(start, stop, tuple(each for each in records if each is not None))


def _last_from(records: list[AnyRecord | None], losses: int) -> int | None:
    """The place of the chunk from which on there are this many losses; None if there are fewer."""
    for place in range(len(records) - 1, -1, -1):
        record = records[place]
        if isinstance(record, Chunk):
            losses -= record.batches
            if losses <= 0:
                return place
    return None


def _beginnings(data: bytes) -> Iterator[int]:
    """The places at which a frame seems to begin."""
    place = data.find(_TAG)
    while place >= 0:
        for size, first in _HEADERS.items():
            begin = place - size - LENGTH.size
            if begin >= 0 and data[place - size] in first:
                length, check = LENGTH.unpack_from(data, begin)
                if crc32(data[begin : begin + 4]) == check and length:
                    yield begin
        place = data.find(_TAG, place + 1)
