"""Parts of a log, read from any place, are those that reading all of it finds there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from long_logs import begun, trained

from engine.log.file import MAGIC, LogReader, frame
from engine.log.reading.decode import RecordError
from engine.log.reading.probes import LogProbe
from engine.log.records import AnyRecord, Chunk, Refused
from engine.log.writing.writer import LogWriter

RECORDS = [
    *begun(),
    *trained(3_000),
    # Text that looks like the beginning of a record, and is none.
    Refused(detail="\x84\xa4type \N{DEGREE SIGN}type" + "x" * 5_000, command=1),
    *trained(2_000, after=3_000),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "a.gdlog"
    with LogWriter(path) as log:
        for record in RECORDS:
            log.append(record)
    return path


@pytest.fixture
def probe(path: Path) -> Iterator[LogProbe]:
    file = os.open(path, os.O_RDONLY)
    yield LogProbe(file, len(MAGIC))
    os.close(file)


def places_of(path: Path) -> dict[int, AnyRecord]:
    """Every record by the place where its frame begins."""
    reader, found = LogReader(path), {}
    records, place = iter(reader), len(MAGIC)
    for record in records:
        found[place], place = record, reader.offset
    return found


def test_a_part_from_any_place_is_what_lies_there(path: Path, probe: LogProbe) -> None:
    every = places_of(path)
    begins = sorted(every)
    for place in range(len(MAGIC), begins[-1], 97):
        part = probe.near(place, probe.size, losses=150)
        assert part is not None
        assert part.start == min(each for each in begins if each >= place)
        there = [every[each] for each in begins if part.start <= each < part.stop]
        assert list(part.records) == there
        assert part.chunks or place > begins[-3]


def test_the_first_and_the_last_part_reach_the_ends(path: Path, probe: LogProbe) -> None:
    first, last = probe.first(losses=150), probe.last(losses=150)
    every = list(places_of(path).values())
    assert first is not None
    assert last is not None
    assert list(first.records) == every[: len(first.records)]
    assert list(last.records) == every[-len(last.records) :]
    assert last.stop == probe.size
    assert isinstance(last.records[0], Chunk)


def test_all_records_between_two_places(path: Path, probe: LogProbe) -> None:
    begins = sorted(places_of(path))
    part = probe.between(begins[3], begins[9])
    assert list(part.records) == [places_of(path)[each] for each in begins[3:9]]


def test_nothing_is_found_beyond_the_last_record(path: Path, probe: LogProbe) -> None:
    assert probe.near(max(places_of(path)) + 1, probe.size, losses=1) is None


def test_a_record_that_cannot_be_right_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.gdlog"
    bad = frame(Refused(detail="", command=-1))
    path.write_bytes(MAGIC + b"".join(frame(each) for each in begun()) + bad)
    with path.open("rb") as file, pytest.raises(RecordError):
        LogProbe(file.fileno(), len(MAGIC)).last(losses=1)


def test_no_part_of_a_file_without_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "a.gdlog"
    path.write_bytes(MAGIC + frame(next(begun()))[:-1])
    with path.open("rb") as file:
        probe = LogProbe(file.fileno(), len(MAGIC))
        assert probe.first(losses=1) is None
        assert probe.last(losses=1) is None
