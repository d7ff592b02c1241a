"""The log: what was written is read, torn ends wait, damage is told and loses nothing before it."""

import errno
import os
from pathlib import Path

import pytest
from canary import PLANTS, CanaryTree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.log import file
from engine.log.file import MAGIC, LogDamagedError, LogError, LogReader, frame
from engine.log.records import AnyRecord, Chunk, End, Record, State, StateChanged
from engine.log.writing.writer import LogWriter


def chunk(k: int, batches: int = 3) -> Chunk:
    return Chunk(
        generation=1,
        epoch=1,
        batch=k,
        update=k,
        in_update=0,
        samples=k,
        seconds=0.5,
        duration=0.1,
        batch_size=1,
        last_batch_size=1,
        accumulation_steps=1,
        lr=0.01,
        losses=bytes(range(4)) * batches,
    )


RECORDS: list[Record] = [
    StateChanged(generation=1, state=State.RUNNING, wall_time=1.5, detail="läuft"),
    *(chunk(1 + k * (k - 1) // 2, batches=k) for k in range(1, 5)),
    End(),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.gdlog"


def write(path: Path, records: list[Record]) -> list[int]:
    """Write a log; where each record ends in the file."""
    ends = []
    with LogWriter(path) as log:
        for record in records:
            log.append(record)
            ends.append(path.stat().st_size)
    return ends


def read_all(reader: LogReader) -> tuple[list[AnyRecord], LogDamagedError | None]:
    records: list[AnyRecord] = []
    try:
        records.extend(reader)  # keeps what came before an error
    except LogDamagedError as error:
        return records, error
    return records, None


def test_what_was_written_is_read(path: Path) -> None:
    write(path, RECORDS)
    reader = LogReader(path)
    assert read_all(reader) == (RECORDS, None)
    assert reader.is_complete
    assert not reader.has_torn_end
    assert read_all(reader) == ([], None)


def test_a_reader_follows_a_writer(path: Path) -> None:
    reader = LogReader(path)
    assert read_all(reader) == ([], None), "there is no file yet"
    with LogWriter(path) as log:
        for record in RECORDS:
            log.append(record)
            assert read_all(reader) == ([record], None)


def test_a_reader_that_stops_early_goes_on_there(path: Path) -> None:
    write(path, RECORDS)
    reader = LogReader(path)
    first = next(iter(reader))
    assert [first, *reader] == RECORDS


def test_truncated_at_every_byte_the_whole_records_before_are_read(path: Path) -> None:
    ends = write(path, RECORDS)
    data = path.read_bytes()
    for size in range(len(data) + 1):
        path.write_bytes(data[:size])
        reader = LogReader(path)
        whole = sum(end <= size for end in ends)
        assert read_all(reader) == (RECORDS[:whole], None), f"cut to {size} bytes"
        assert reader.is_complete == (whole == len(RECORDS))
        assert reader.has_torn_end == (size not in (0, len(MAGIC), *ends))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_damage_and_never_a_torn_end(path: Path, where: float, bit: int) -> None:
    path.unlink(missing_ok=True)
    ends = write(path, RECORDS)
    data = bytearray(path.read_bytes())
    position = int(where * len(data))
    data[position] ^= 1 << bit
    path.write_bytes(data)

    reader = LogReader(path)
    records, damage = read_all(reader)
    assert records == RECORDS[: sum(end <= position for end in ends)]
    assert damage is not None
    assert str(path) in str(damage)
    assert read_all(reader)[1] is damage, "it is still damaged"


def test_a_writer_goes_on_after_a_torn_end(path: Path) -> None:
    ends = write(path, RECORDS[:3])
    path.write_bytes(path.read_bytes()[: ends[-1] - 5])
    with LogWriter(path) as log:
        log.append(RECORDS[2])
    assert read_all(LogReader(path)) == (RECORDS[:3], None)


@pytest.mark.parametrize("size", [0, 3])
def test_a_writer_goes_on_in_a_file_without_a_whole_header(path: Path, size: int) -> None:
    path.write_bytes(MAGIC[:size])
    write(path, RECORDS)
    assert read_all(LogReader(path)) == (RECORDS, None)


def test_a_writer_refuses_a_damaged_file_and_leaves_it_alone(path: Path) -> None:
    path.write_bytes(b"something else")
    with pytest.raises(LogDamagedError, match="not a gdtui log"):
        LogWriter(path)
    assert path.read_bytes() == b"something else"


def test_one_file_has_one_writer(path: Path) -> None:
    with LogWriter(path), pytest.raises(LogError, match="another process") as refused:
        LogWriter(path)
    assert refused.value.path == path
    LogWriter(path).close()


class SmallDisk:
    """Stands in for os.pwrite: `room` bytes fit, then the disk is full."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._pwrite = os.pwrite

    def __call__(self, file: int, data: bytes, offset: int) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part = data[: min(self.room, 11)]  # the system may take a part only
        self.room -= len(part)
        return self._pwrite(file, part, offset)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SmallDisk:
    small = SmallDisk(10**9)
    monkeypatch.setattr(file.os, "pwrite", small)
    return small


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(room=st.integers(0, 400))
def test_a_full_disk_loses_nothing(path: Path, disk: SmallDisk, room: int) -> None:
    path.unlink(missing_ok=True)
    disk.room = 10**9
    with LogWriter(path) as log:
        disk.room = room
        for k, record in enumerate(RECORDS):
            try:
                log.append(record)
                assert not log.is_blocked
            except OSError:
                assert log.is_blocked
                fitting = [
                    sum(map(len, map(frame, RECORDS[:i]))) <= room for i in range(len(RECORDS))
                ]
                records, damage = read_all(LogReader(path))
                assert damage is None
                assert records == RECORDS[: sum(fitting) - 1][: k + 1]
        disk.room = 10**9
        log.retry()
    assert read_all(LogReader(path)) == (RECORDS, None)


def test_a_log_begun_on_a_full_disk_waits_for_room(path: Path, disk: SmallDisk) -> None:
    disk.room = 3  # not even what every log begins with
    with LogWriter(path) as log:
        assert log.is_blocked
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            log.append(RECORDS[0])
        disk.room = 10**9
        log.append(RECORDS[1])
        assert not log.is_blocked
    assert read_all(LogReader(path)) == (RECORDS[:2], None)


@pytest.mark.parametrize("plant", PLANTS)
def test_a_log_that_is_no_file_is_neither_read_nor_written(plant: str, tmp_path: Path) -> None:
    """A link would make a log out of any file of the user's, and cut that off first."""
    canary = CanaryTree(tmp_path / "outside")
    path = tmp_path / "a.gdlog"
    PLANTS[plant](path, canary.file)
    with pytest.raises(LogError, match="not a file of a run"):
        LogWriter(path)
    records, damage = read_all(LogReader(path))
    assert records == []
    assert "nothing of it was read" in str(damage)
    canary.check()


def test_a_log_with_another_name_is_not_written(path: Path, tmp_path: Path) -> None:
    canary = CanaryTree(tmp_path / "outside")
    path.hardlink_to(canary.file)
    with pytest.raises(LogError, match="hard link"):
        LogWriter(path)
    canary.check()


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_a_log_is_its_users_own(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(path, RECORDS)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
