"""The files of a tracked loop. What cannot be written waits in memory, and training goes on."""

import contextlib
import time
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.log.directory import RUN_FILE, RunDirectory, RunDirectoryError
from engine.log.filesystem.disk_errors import reason, remedy
from engine.log.reading.decode import decode_record
from engine.log.records import CommandSent, Record, VariantAdded
from engine.log.writing.writer import LogWriter
from engine.session.session_log import SessionLog
from engine.worker.protocol import RunClock

_RETRY_SECONDS: Final = 1.0
_MOST_WAITING: Final = 1_000_000
"""Records kept while the log cannot be written; some hours of a fast loop, and 200 MB."""


class LoopLog:
    """Writes a loop's log; used by one thread at a time. Never raises OSError."""

    def __init__(
        self, run: RunDirectory, name: str, warn: Callable[[str], object], *, is_new: bool = True
    ) -> None:
        """Open the log. `warn` is called once a record cannot be written.

        `is_new`: the variant joins the run, rather than going on in it.

        Raises LogError or OSError.
        """
        self._log = LogWriter(run.variant_log(name))
        self._warn = warn
        self._clock = RunClock.start()
        self._session_log = self._open_session_log(run)
        self._run = run
        self._known = {each.name for each in run.info.settings.variants}
        """Variants that readers of the run know, or will find in run.json."""
        self._run_file = self._stamp()
        if (
            is_new and len(self._known) > 1
        ):  # whoever has opened the run before must hear of this one
            self._announce(name)
        self._look_at = 0.0
        self._retry_at = 0.0
        self._waiting: list[Record] = []
        self._has_given_up = False

    def _open_session_log(self, run: RunDirectory) -> SessionLog | None:
        """The session's log; None if another loop of the run writes it."""
        try:
            return SessionLog(run, self._clock, lambda _: None)
        except RunDirectoryError:
            return None
        except Exception:  # a LogError: it is locked, or damaged
            return None

    @property
    def is_waiting(self) -> bool:
        """True while records wait because the log cannot be written."""
        return bool(self._waiting) or self._log.is_blocked

    def write(self, record: Record) -> None:
        """Append a record with the current time; if that fails, keep it for later.

        Raises RecordError for a record that no reader would accept; the log stays sound.
        """
        record = replace(record, wall_time=self._clock.now())
        # Readers go no further than a record with numbers out of range, wherever they come from.
        decode_record(msgspec.msgpack.encode(record))
        if self._waiting or self._log.is_blocked:
            self._keep(record)
            self.retry()
            return
        try:
            self._log.append(record)
        except OSError as error:
            self._fail(error)

    def write_command(self, sent: CommandSent) -> None:
        """Log a command; in the loop's own log if another loop of the run writes the session's."""
        if self._session_log is not None:
            self._session_log.write(sent)
        else:
            self.write(sent)

    def announce_others(self) -> None:
        """Log the variants of other loops that have joined the run, once a second."""
        if self._session_log is None or time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _RETRY_SECONDS
        if (stamp := self._stamp()) == self._run_file:
            return
        self._run_file = stamp
        with contextlib.suppress(RunDirectoryError):
            self._run = RunDirectory.open(self._run.path)
        for variant in self._run.info.settings.variants:
            if variant.name not in self._known:
                self._known.add(variant.name)
                self._announce(variant.name)

    def _announce(self, name: str) -> None:
        if self._session_log is not None:
            found = {each.name: each.settings for each in self._run.info.settings.variants}
            self._session_log.write(VariantAdded(variant=name, settings=found[name]))

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = (self._run.path / RUN_FILE).lstat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def retry(self) -> None:
        """Write what waits, unless that has just failed."""
        if not (self._waiting or self._log.is_blocked) or time.monotonic() < self._retry_at:
            return
        try:
            self._log.retry()
            while self._waiting:
                self._log.append(self._waiting.pop(0))
        except OSError as error:
            self._fail(error)

    def _keep(self, record: Record) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            self._has_given_up = True
            self._waiting.clear()
        if not self._has_given_up:
            self._waiting.append(record)

    def _fail(self, error: OSError) -> None:
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        path = self._log.path
        self._warn(
            f"cannot write {path}: {reason(error, path)}. Training goes on; its losses wait in "
            f"memory, and are written if you {remedy(error, path)}"
        )

    def close(self) -> None:
        """Write what waits, sync and close the files."""
        self._retry_at = 0.0
        self.retry()
        try:
            self._log.close()
        except OSError as error:
            self._fail(error)
        if self._session_log is not None:
            self._session_log.close()

    def abandon(self) -> None:
        """Close the files without writing, in a forked process whose parent owns them."""
        self._log.abandon()
        if self._session_log is not None:
            self._session_log.abandon()
