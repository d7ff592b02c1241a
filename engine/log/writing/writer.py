"""Appends records to a log; see engine/log/file.py for its format."""

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
"""Maximum number of unsynced bytes kept for rewriting; some minutes of a fast training."""


class LogWriter:
    """Appends records to a file, one write each; a reader sees whole frames and perhaps a torn one.

    An existing file is continued after its last whole record, and the torn end that a killed writer
    may have left is cut off. Raises LogError if another writer holds the file, or if it is damaged
    or not the expected one, and OSError if it cannot be opened. On a full disk, the writer of a new
    file begins blocked. Written data is on the disk about a second later, and after `close`.
    """

    def __init__(self, path: Path, expected: FileIdentity | None = None) -> None:
        """With `expected`, continue exactly this file; do not create or accept another."""
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
        """The last bytes of the file, which may not be on the disk yet."""
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
        """Cut off a torn end; return the length of the whole records."""
        reader = LogReader(self.path)
        for _ in reader:
            pass
        if reader.offset == 0:
            os.ftruncate(self._file, 0)
            self._end = 0
            self._unwritten.append(MAGIC)
            with contextlib.suppress(OSError):  # data is kept; the first append reports the error
                self.retry()
            return self._end
        os.ftruncate(self._file, reader.offset)
        return reader.offset

    @property
    def is_blocked(self) -> bool:
        """True while records wait because the last attempt to write failed."""
        return bool(self._unwritten)

    def append(self, record: Record) -> None:
        """Write a record; if that fails (disk full), raise OSError and keep it for `retry`.

        The same applies if an earlier sync failed; `retry` then writes the unsynced records again.
        """
        self._unwritten.append(frame(record))
        if (failure := self._sync.take_failure()) is not None:
            self._take_back()
            self.check_place()
            raise failure
        self.retry()

    def retry(self) -> None:
        """Write the records that could not be written before; OSError if that fails again.

        Raises FileGoneError, an OSError, if the file is no longer at its path.
        """
        is_cut = os.fstat(self._file).st_size < self._end  # appending would leave a hole
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
        """Raise FileGoneError unless the file is still at its path and has its full length."""
        if reason := absence(self.path, self.identity, self._end):
            self._place_checked = -_PLACE_SECONDS  # each write checks until the file is back
            raise FileGoneError(errno.ESTALE, reason, str(self.path))
        self._place_checked = time.monotonic()

    def _write(self, data: bytes) -> None:
        """Append data, wholly or not at all."""
        done = 0
        try:
            while done < len(data):
                done += os.pwrite(self._file, data[done:], self._end + done)
        except OSError:
            if done:
                os.ftruncate(self._file, self._end)
            raise

    def _forget_synced(self) -> None:
        """Drop data that is on the disk, and the oldest data if syncing takes very long."""
        while self._unsynced and (
            self._end - self._unsynced_bytes < self._sync.synced
            or self._unsynced_bytes > _MOST_UNSYNCED
        ):
            self._unsynced_bytes -= len(self._unsynced.popleft())

    def _take_back(self) -> None:
        """Queue data that may not be on the disk, to write it again at the same offset."""
        self._forget_synced()
        self._unwritten[:0] = self._unsynced
        self._end -= self._unsynced_bytes
        self._unsynced.clear()
        self._unsynced_bytes = 0

    def close(self) -> None:
        """Sync the file and close it; OSError if that fails."""
        if self._file < 0:
            return
        try:
            self._sync.finish()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close without syncing, for example in a forked process, whose parent owns the log."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
