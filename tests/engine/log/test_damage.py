"""Logs with right checksums and wrong content: told with the place, and good until there."""

import os
import pickle
import tracemalloc
from pathlib import Path
from zlib import crc32

import pytest
from forged import document, forge, framed, nested
from msgspec.structs import replace
from plain_chunks import plain_chunk

from engine.log.file import MAGIC, LogDamagedError, LogReader
from engine.log.records import AnyRecord, End
from engine.log.writing.writer import LogWriter

GOOD = [plain_chunk(1, 10), plain_chunk(11, 10)]
WRONG = {
    "out of range": document(plain_chunk(21, 10), samples=2**63 - 1),
    "out of order": plain_chunk(40, 10),
    "losses cut": replace(plain_chunk(21, 10), losses=bytes(39)),
    "nested": nested(200_000),
    "no record": b"\x93\x01\x02",
}


def read(reader: LogReader) -> tuple[list[AnyRecord], LogDamagedError]:
    records: list[AnyRecord] = []
    with pytest.raises(LogDamagedError) as told:
        records.extend(reader)
    return records, told.value


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_wrong_content_is_told_with_its_place(tmp_path: Path, wrong: object) -> None:
    path = tmp_path / "a.gdlog"
    forge(path, GOOD)
    whole = path.stat().st_size
    forge(path, [*GOOD, wrong, plain_chunk(21, 10), End()])
    reader = LogReader(path)
    records, damage = read(reader)
    assert records == GOOD
    assert (damage.path, damage.offset, damage.record) == (path, whole, 3)
    assert f"at byte {whole}, record 3" in str(damage)
    assert (reader.records, reader.offset, reader.is_complete) == (2, whole, False)
    assert read(reader) == ([], damage), "it is still damaged"
    assert pickle.loads(pickle.dumps(damage)).record == 3, "it travels between processes"
    with pytest.raises(LogDamagedError):
        LogWriter(path)


def test_a_length_is_not_believed_beyond_what_a_record_can_have(tmp_path: Path) -> None:
    """The file is sparse: 4 GiB of zeros without a block on the disk."""
    path = tmp_path / "a.gdlog"
    length = (2**32 - 1).to_bytes(4, "little")
    forge(path, GOOD, tail=length + crc32(length).to_bytes(4, "little"))
    os.truncate(path, 2**32 + 1000)
    tracemalloc.start()
    try:
        records, damage = read(LogReader(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert records == GOOD
    assert "4,294,967,295 bytes" in str(damage)
    assert peak < 10 << 20


def test_records_of_later_versions_are_skipped_while_the_log_grows(tmp_path: Path) -> None:
    path = tmp_path / "a.gdlog"
    later = {"type": "Forked", "from": "Mini-batch", "batch": 7}
    forge(path, [later, GOOD[0], later])
    reader = LogReader(path)
    assert list(reader) == [GOOD[0]]
    assert (reader.records, reader.offset) == (3, path.stat().st_size)
    with path.open("ab") as file:
        file.write(framed(b"\x81\xa4type\xa5Later"))
    assert list(reader) == []
    with LogWriter(path) as log:
        log.append(GOOD[1])
        log.append(End())
    assert list(reader) == [GOOD[1], End()]
    assert reader.is_complete
    assert not reader.has_torn_end


def test_a_later_record_behind_the_end_does_not_hide_it(tmp_path: Path) -> None:
    path = tmp_path / "a.gdlog"
    forge(path, [*GOOD, End(), {"type": "Digest"}])
    reader = LogReader(path)
    assert len(list(reader)) == 3
    assert reader.is_complete


def test_an_empty_log_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "a.gdlog"
    path.write_bytes(MAGIC)
    reader = LogReader(path)
    assert (list(reader), reader.records) == ([], 0)
