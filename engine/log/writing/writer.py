"""Appends records to a log; see engine/log/file.py for its form."""

import contextlib
import errno
import os
import time
from collections import deque
from pathlib import Path
from typing import Final, Self

from engine.log.file import MAGIC, LogError, LogReader, frame
from engine.log.filesystem.holding import lock
from engine.log.filesystem.identity import FileGoneError, FileIdentity, absence
from engine.log.filesystem.safe_open import UnsafeFileError, safe_open
from engine.log.records import Record
from engine.log.writing.background_sync import BackgroundSync

_PLACE_SECONDS: Final = 0.5
"""Seconds between two checks that the file is still at its path."""
_MOST_UNSYNCED: Final = 64 << 20
"""Bytes that are kept for a disk that has not taken them yet; some minutes of a fast training."""


class LogWriter:
    """Appends records to one file, one write each: a reader sees whole frames or a torn one.

    A file that already exists is continued after its last whole record: what a writer that was
    killed left torn is cut off. Raises LogError when another writer holds the file, when it is
    damaged or not the one expected, OSError when it cannot be opened. On a full disk a new one
    begins blocked. What was written is on the disk a second later, and at the end.
    """

    def __init__(self, path: Path, expected: FileIdentity | None = None) -> None:
        """`expected`: the file to continue; no other is, and none is made in its place."""
        self.path = path
        self._unwritten: list[bytes] = []
        self._place_checked = time.monotonic()
        if expected is not None and (reason := absence(path, expected)):
            raise LogError(path, reason)
        try:
            self._file = safe_open(path, os.O_RDWR | (0 if expected else os.O_CREAT))
        except UnsafeFileError as error:
            raise LogError(path, error.strerror) from None
        self._sync = BackgroundSync(self._file, path)
        self._unsynced: deque[bytes] = deque()
        """Written, but perhaps not on the disk yet: the last bytes of the file."""
        self._unsynced_bytes = 0
        try:
            lock(self._file)
            self.identity = FileIdentity.of(self._file)
            self._end = self._recover()
        except BlockingIOError:
            os.close(self._file)
            raise LogError(path, "another process is writing this log") from None
        except BaseException:
            os.close(self._file)
            raise

    def _recover(self) -> int:
        """Cut a torn end off; return the length of the whole records."""
        reader = LogReader(self.path)
        for _ in reader:
            pass
        if reader.offset == 0:
            os.ftruncate(self._file, 0)
            self._end = 0
            self._unwritten.append(MAGIC)
            with contextlib.suppress(OSError):  # kept; appending the first record reports the error
                self.retry()
            return self._end
        os.ftruncate(self._file, reader.offset)
        return reader.offset

    @property
    def is_blocked(self) -> bool:
        """True while records wait because the last attempt to write failed."""
        return bool(self._unwritten)

    def append(self, record: Record) -> None:
        """Write a record; raises OSError when it cannot (disk full), and keeps it for `retry`.

        Also where the disk turned out not to have taken earlier ones: `retry` writes them again.
        """
        self._unwritten.append(frame(record))
        if (failure := self._sync.take_failure()) is not None:
            self._take_back()
            self.check_place()
            raise failure
        self.retry()

    def retry(self) -> None:
        """Write what could not be written before, in order; raises OSError when it still cannot.

        That is a FileGoneError where the file is no longer at its path.
        """
        is_cut = os.fstat(self._file).st_size < self._end  # to write on would leave a hole
        if is_cut or time.monotonic() - self._place_checked >= _PLACE_SECONDS:
            self.check_place()
        while self._unwritten:
            data = self._unwritten[0]
            self._write(data)
            self._end += len(data)
            self._unsynced.append(data)
            self._unsynced_bytes += len(data)
            del self._unwritten[0]
            self._sync.note(self._end)
        self._forget_synced()

    def check_place(self) -> None:
        """Raise FileGoneError unless the file is still at its path, with all that was written."""
        if reason := absence(self.path, self.identity, self._end):
            self._place_checked = -_PLACE_SECONDS  # each attempt checks until it is back
            raise FileGoneError(errno.ESTALE, reason, str(self.path))
        self._place_checked = time.monotonic()

    def _write(self, data: bytes) -> None:
        """Put data at the end, wholly or not at all."""
        done = 0
        try:
            while done < len(data):
                done += os.pwrite(self._file, data[done:], self._end + done)
        except OSError:
            if done:
                os.ftruncate(self._file, self._end)
            raise

    def _forget_synced(self) -> None:
        """Let go of what the disk has, and of the oldest where it takes very long."""
        while self._unsynced and (
            self._end - self._unsynced_bytes < self._sync.synced
            or self._unsynced_bytes > _MOST_UNSYNCED
        ):
            self._unsynced_bytes -= len(self._unsynced.popleft())

    def _take_back(self) -> None:
        """Write again, where it stands, what the disk may not have taken."""
        self._forget_synced()
        self._unwritten[:0] = self._unsynced
        self._end -= self._unsynced_bytes
        self._unsynced.clear()
        self._unsynced_bytes = 0

    def close(self) -> None:
        """Bring all onto the disk, and close; OSError where it does not take all."""
        if self._file < 0:
            return
        try:
            self._sync.finish()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close at once, for a process that was forked: the log is its parent's."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
