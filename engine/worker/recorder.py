"""Puts a worker's records in its log, and tells the session when it cannot: a full disk loses nothing."""

import time

import msgspec

from engine.log.file import LogWriter
from engine.log.records import Record
from engine.worker.mailbox import Mailbox
from engine.worker.protocol import LogBlocked, LogUnblocked


class Recorder:
    """A log that never raises: what cannot be written waits, in order, until `unblock`."""

    def __init__(self, log: LogWriter, mailbox: Mailbox) -> None:
        self._log = log
        self._mailbox = mailbox
        self._is_told = False
        """That nothing can be written; said again only where it was tried again."""

    @property
    def is_blocked(self) -> bool:
        """Records wait: nothing more should be trained."""
        return self._log.is_blocked

    def write(self, record: Record) -> None:
        """Append to the log with the time, or keep the record and say why it cannot be written."""
        was_blocked = self._log.is_blocked
        try:
            self._log.append(msgspec.structs.replace(record, wall_time=time.time()))
        except OSError as error:
            if not self._is_told:
                self._tell(error)
        else:
            if was_blocked:  # what waited was written, too
                self._tell_unblocked()

    def unblock(self) -> bool:
        """Try again; whether nothing waits any more."""
        if not self._log.is_blocked:
            return True
        try:
            self._log.retry()
        except OSError as error:
            self._tell(error)
            return False
        self._tell_unblocked()
        return True

    def _tell(self, error: OSError) -> None:
        self._is_told = True
        self._mailbox.send(LogBlocked(detail=f"cannot write {self._log.path}: {error.strerror}"))

    def _tell_unblocked(self) -> None:
        self._is_told = False
        self._mailbox.send(LogUnblocked())
