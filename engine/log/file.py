"""The log file: its format, and a reader of its records up to a torn or damaged end.

A file is `MAGIC`, then frames: payload length (u32), CRC-32 of those four bytes, payload (msgpack
of one record), CRC-32 of the payload; integers are little-endian. Each file has one writer, which
holds a lock on it. A frame that extends beyond the end of the file is not complete *yet*; a wrong
checksum means damage. The length has a separate checksum so that a flipped bit in it is not
mistaken for a torn end.
"""

import contextlib
import errno
import os
from collections.abc import Collection, Iterator
from collections.abc import Sequence as Records
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zlib import crc32

import msgspec

from engine.log.filesystem.identity import FileIdentity, absence
from engine.log.filesystem.safe_open import UnsafeFileError, safe_open
from engine.log.format import FORMAT, is_known, is_newer, refusal
from engine.log.reading.decode import MOST_BYTES, RecordError, decode_record, decode_records
from engine.log.reading.frames import CHECK, LENGTH, OVERHEAD, Frames, split
from engine.log.reading.sequence import Sequence
from engine.log.records import AnyRecord, End, Record
from engine.settings.text import clean

if TYPE_CHECKING:
    from engine.log.reading.loss_block import LossBlock  # imports numpy

_NAME: Final = b"gdlog\x00\x00"
MAGIC: Final = _NAME + bytes([FORMAT])

_READ_BYTES: Final = 1 << 16
"""Bytes per read; with much larger reads, each call costs a memory allocation by the system."""
_PASSING: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR)
"""Errors that say nothing about the file; the next attempt may succeed."""

_encoder: Final = msgspec.msgpack.Encoder()


class LogError(Exception):
    """A log that cannot be read or written; the message names the file and what is safe."""

    def __init__(self, path: Path, trouble: str) -> None:
        super().__init__(path, trouble)  # as arguments, so that it can be pickled
        self.path = path
        """The file of the log."""
        self.trouble = trouble

    def __str__(self) -> str:
        return clean(f"{self.path}: {self.trouble}")


class LogDamagedError(LogError):
    """A log that is damaged at some point: the records before it were read, the rest is lost."""

    def __init__(self, path: Path, trouble: str, offset: int = 0, record: int = 1) -> None:
        super().__init__(path, trouble)
        self.args = (path, trouble, offset, record)
        self.offset = offset
        """Number of bytes before the damage."""
        self.record = record
        """The number of the damaged record, from 1."""


def frame(record: Record) -> bytes:
    """A record encoded as in the file."""
    payload = _encoder.encode(record)
    length = len(payload).to_bytes(4, "little")
    return b"".join(
        (length, CHECK.pack(crc32(length)), payload, CHECK.pack(crc32(payload))),
    )


class LogReader:
    """Reads a log from its start to its current end; iterate again for newer records.

    On reaching damage, after yielding every record before it, iteration raises LogDamagedError.
    Any later iteration raises it immediately.
    """

    def __init__(self, path: Path, variants: Collection[str] | None = None) -> None:
        """`variants` are the names that a session's log may refer to; None allows any name."""
        self.path = path
        self.offset = 0
        """Number of bytes up to the end of the last whole record."""
        self.records = 0
        """Number of whole records before `offset`, including records of unknown kinds."""
        self.is_complete = False
        """True if the last record read says that nothing follows."""
        self.has_more = False  # the last portion ended before the file did
        self.damage: LogDamagedError | None = None
        self._sequence = Sequence(variants)
        self._identity: FileIdentity | None = None
        self._buffer = b""
        self._position = 0

    @property
    def absence(self) -> str:
        """The reason why the file is no longer at its path; "" if it is, or was never opened."""
        return absence(self.path, self._identity, self.offset) if self._identity else ""

    @property
    def has_torn_end(self) -> bool:
        """True if bytes follow the last whole record: being written, or cut off by a crash."""
        try:
            return self.path.lstat().st_size > self.offset
        except OSError:
            return False

    def __iter__(self) -> Iterator[AnyRecord]:
        with self._opened() as file:
            while file is not None and (record := self._next(file)) is not None:
                yield record

    def portion(self, most: int) -> "list[AnyRecord | LossBlock]":
        """The next records, of about `most` bytes; long stretches of losses come as blocks.

        Damage is not raised, but kept in `damage`; every record before it is returned.
        """
        found: list[AnyRecord | LossBlock] = []
        with contextlib.suppress(LogDamagedError):  # it is in `damage`
            frames = self._frames(most)
            self._take(frames.payloads, found)
            if frames.trouble:
                raise self._damaged(frames.trouble)
        self.has_more = self.has_more and self.damage is None
        return found

    def _frames(self, most: int) -> Frames:
        """The whole frames in the next `most` bytes, or at least one if there is one."""
        self.has_more = False
        with self._opened() as file:
            if file is None or (self.offset == 0 and not self._skip_magic(file)):
                return Frames([], 0, "")
            os.lseek(file, self.offset, os.SEEK_SET)
            data = self._read(file, most, at_once=most)
            frames = split(data)
            while not frames.payloads and (more := frames.wanted - len(data)) > 0:
                if not (rest := self._read(file, more, at_once=more)):
                    break
                data += rest
                frames = split(data)
        self.has_more = len(data) >= most and bool(frames.payloads)
        return frames

    def _take(self, payloads: list[bytes], found: "list[AnyRecord | LossBlock]") -> None:
        """Decode and check the payloads of whole frames; add what they hold to `found`."""
        from engine.log.reading.loss_block import FEWEST, LossBlock, stretches

        records, error = decode_records(payloads)
        for start, stop in stretches(records):
            if stop - start >= FEWEST:
                block = LossBlock(records[start:stop])  # type: ignore[arg-type]
                if self._sequence.add_block(block):
                    self._count(payloads[start:stop], block.records[-1])
                    found.append(block)
                    continue
            for payload, record in zip(payloads[start:stop], records[start:stop], strict=True):
                try:
                    if record is not None:
                        self._sequence.add(record)
                except RecordError as wrong:
                    raise self._damaged(f"cannot be right ({wrong})") from None
                self._count([payload], record)
                if record is not None:
                    found.append(record)
        if error is not None:
            raise self._damaged(f"cannot be right ({error})")

    def _count(self, payloads: Records[bytes], last: AnyRecord | None) -> None:
        """Go on to the end of these records."""
        self.offset += sum(map(len, payloads)) + OVERHEAD * len(payloads)
        self.records += len(payloads)
        if last is not None:
            self.is_complete = isinstance(last, End)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int | None]:
        """The file, at the end of the last whole record; None if there is none, or another."""
        if self.damage is not None:
            raise self.damage
        try:
            file = safe_open(self.path)
        except FileNotFoundError:
            yield None
            return
        except OSError as error:
            raise self._unreadable(error) from None
        try:
            os.lseek(file, self.offset, os.SEEK_SET)
            self._buffer, self._position = b"", 0
            yield file if self._is_the_same(file) else None
        finally:
            os.close(file)

    def _is_the_same(self, file: int) -> bool:
        """True unless another file has replaced the one that was read so far."""
        identity = FileIdentity.of(file)
        self._identity = self._identity or identity
        return identity == self._identity

    def _unreadable(self, error: OSError) -> OSError | LogDamagedError:
        """The error for a file that cannot be read; `error` itself if a retry may succeed."""
        if error.errno in _PASSING:
            return error
        is_told = isinstance(error, UnsafeFileError)
        reason = error.strerror if is_told else f"cannot be read: {error.strerror}"
        read = "every record before was read" if self.records else "nothing of it was read"
        self.damage = LogDamagedError(self.path, f"{reason}; {read}", self.offset, self.records + 1)
        return self.damage

    def _next(self, file: int) -> AnyRecord | None:
        """The next record of a known kind, or None if there is none yet."""
        if self.offset == 0 and not self._skip_magic(file):
            return None
        while (payload := self._payload(file)) is not None:
            try:
                record = decode_record(payload)
                if record is not None:
                    self._sequence.add(record)
            except RecordError as error:
                raise self._damaged(f"cannot be right ({error})") from None
            self._position += OVERHEAD + len(payload)
            self._count([payload], record)
            if record is not None:
                return record
        return None

    def _payload(self, file: int) -> bytes | None:
        """The bytes of the next record, or None if the file does not hold them yet."""
        header = self._peek(file, LENGTH.size)
        if header is None:
            return None
        length, check = LENGTH.unpack(header)
        if crc32(header[:4]) != check:
            raise self._damaged()
        if length > MOST_BYTES:
            raise self._damaged(f"holds a record of {length:,} bytes")
        data = self._peek(file, LENGTH.size + length + CHECK.size)
        if data is None:
            return None
        payload = data[LENGTH.size : -CHECK.size]
        if crc32(payload) != CHECK.unpack(data[-CHECK.size :])[0]:
            raise self._damaged()
        return payload

    def _skip_magic(self, file: int) -> bool:
        magic = self._peek(file, len(MAGIC))
        if magic is None:
            return False
        if magic.startswith(_NAME) and is_newer(magic[-1]):
            self.damage = LogDamagedError(self.path, refusal(magic[-1]))
            raise self.damage
        if not (magic.startswith(_NAME) and is_known(magic[-1])):
            raise self._damaged("is not a gdtui log")
        self._position += len(MAGIC)
        self.offset += len(MAGIC)
        return True

    def _peek(self, file: int, size: int) -> bytes | None:
        """The next `size` bytes, or None if the file does not hold them yet."""
        missing = size - (len(self._buffer) - self._position)
        if missing > 0:
            self._buffer = self._buffer[self._position :] + self._read(file, missing)
            self._position = 0
        data = self._buffer[self._position : self._position + size]
        return data if len(data) == size else None

    def _read(self, file: int, missing: int, at_once: int = _READ_BYTES) -> bytes:
        """Read at least `missing` bytes if the file has them."""
        parts = []
        try:
            while missing > 0 and (part := os.read(file, max(missing, at_once))):
                parts.append(part)
                missing -= len(part)
        except OSError as error:
            raise self._unreadable(error) from None
        return b"".join(parts)

    def _damaged(self, what: str = "is damaged") -> LogDamagedError:
        number = self.records + 1
        self.damage = LogDamagedError(
            self.path,
            f"{what} at byte {self.offset:,}, record {number:,}; every record before was read",
            self.offset,
            number,
        )
        return self.damage
