"""The log of a session: what no worker can write. A record that cannot be written waits."""

from collections.abc import Callable

import msgspec

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.filesystem.disk_errors import cannot_write
from engine.log.filesystem.identity import FileIdentity
from engine.log.records import End, Record
from engine.log.writing.writer import LogWriter
from engine.worker.protocol import RunClock


class SessionLog:
    """Writes and never raises: `tell` is told what is wrong."""

    def __init__(self, run: RunDirectory, clock: RunClock, tell: Callable[[OSError], None]) -> None:
        """RunDirectoryError where it cannot be opened."""
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
        """Append a record with the time."""
        try:
            self._log.append(msgspec.structs.replace(record, wall_time=self._clock.now()))
        except OSError as error:
            self._tell(error)

    def retry(self) -> None:
        """Try again to write what waits."""
        try:
            self._log.retry()
        except OSError as error:
            self._tell(error)

    def close(self) -> None:
        """Write that nothing follows, and bring all onto the disk."""
        self.write(End())
        try:
            self._log.close()
        except OSError as error:
            self._tell(error)
