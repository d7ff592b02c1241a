"""The log of a session, for what workers cannot record. Records that cannot be written wait."""

from collections.abc import Callable

import msgspec

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.filesystem.disk_errors import cannot_write
from engine.log.filesystem.identity import FileIdentity
from engine.log.records import End, Record
from engine.log.writing.writer import LogWriter
from engine.worker.protocol import RunClock


class SessionLog:
    """Writer of the session's log that never raises; it passes errors to `tell` instead."""

    def __init__(self, run: RunDirectory, clock: RunClock, tell: Callable[[OSError], None]) -> None:
        """Open the log; RunDirectoryError if that fails."""
        path = run.session_log
        try:
            self._log = LogWriter(path)
        except OSError as error:
            raise RunDirectoryError(cannot_write(error, path), path) from None
        self._clock = clock
        self._tell = tell

    @property
    def identity(self) -> FileIdentity:
        return self._log.identity

    def write(self, record: Record) -> None:
        """Append a record with the current time."""
        try:
            self._log.append(msgspec.structs.replace(record, wall_time=self._clock.now()))
        except OSError as error:
            self._tell(error)

    def retry(self) -> None:
        """Try again to write the waiting records."""
        try:
            self._log.retry()
        except OSError as error:
            self._tell(error)

    def abandon(self) -> None:
        """Close without writing, in a forked process, whose parent owns the log."""
        self._log.abandon()

    def close(self) -> None:
        """Write the end record, sync the log and close it."""
        self.write(End())
        try:
            self._log.close()
        except OSError as error:
            self._tell(error)
