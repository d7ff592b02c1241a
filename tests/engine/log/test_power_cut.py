"""A power cut: of what was not synced yet, any page may be missing, whatever came after it."""

import contextlib
import tempfile
from itertools import accumulate
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from plain_chunks import plain_chunk

from engine.log.file import MAGIC, LogDamagedError, LogError, LogReader, frame
from engine.log.records import AnyRecord, End
from engine.log.writing.writer import LogWriter
from gdtui.export.incomplete import why_incomplete

PAGE = 4096


@st.composite
def cuts(draw: st.DrawFn) -> tuple[list[AnyRecord], bytes, int, bytes]:
    """Records, the whole log, the bytes that were synced, and what is found after the cut."""
    sizes = draw(st.lists(st.integers(1, 3000), min_size=1, max_size=8))
    firsts = accumulate(sizes, initial=1)
    records: list[AnyRecord] = [*map(plain_chunk, firsts, sizes)]
    records.append(End())
    whole = b"".join((MAGIC, *map(frame, records)))
    ends = [len(whole)]
    for record in reversed(records):
        ends.append(ends[-1] - len(frame(record)))
    synced = draw(st.sampled_from(ends))
    found = bytearray(whole)
    for start in range(synced - synced % PAGE, len(whole), PAGE):
        if draw(st.booleans()):
            begin, end = max(start, synced), min(start + PAGE, len(whole))
            found[begin:end] = bytes(end - begin)
    # The size may reach the disk without the data, and the data without the size.
    size = draw(st.integers(synced, len(whole) + PAGE))
    return records, whole, synced, bytes(found[:size]).ljust(size, b"\0")


@settings(max_examples=200)
@given(cuts())
def test_every_record_before_the_first_missing_page_is_read_and_the_rest_is_told(
    cut: tuple[list[AnyRecord], bytes, int, bytes],
) -> None:
    records, whole, synced, found = cut
    sound = next(
        (k for k, (a, b) in enumerate(zip(whole, found, strict=False)) if a != b),
        min(len(whole), len(found)),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.gdlog"
        path.write_bytes(found)
        reader, read = LogReader(path), []
        with contextlib.suppress(LogDamagedError):
            read += reader
        if reader.damage is not None:
            assert f"byte {reader.offset:,}" in str(reader.damage)
        assert read == records[: len(read)]
        assert reader.offset >= synced
        following = len(frame(records[len(read)])) if len(read) < len(records) else 1
        assert reader.offset <= sound < reader.offset + following or found == whole
        is_told = reader.damage is not None or reader.has_torn_end or not reader.is_complete
        assert is_told == (found[: len(whole)] != whole or len(found) > len(whole))
        assert bool(why_incomplete(reader)) == (reader.damage is not None or not reader.is_complete)
        check_writer(path, reader)


def check_writer(path: Path, reader: LogReader) -> None:
    """A writer goes on after a torn end, and leaves a damaged log as it is."""
    before = path.read_bytes()
    try:
        with LogWriter(path) as log:
            log.append(End())
    except LogError:
        assert reader.damage is not None
        assert path.read_bytes() == before
    else:
        assert reader.damage is None
        assert list(LogReader(path))[-1] == End()
