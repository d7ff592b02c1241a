"""The thread that writes a loop's log and serves its socket, and that no fault leaves half alive.

The loop's thread only puts work into a queue. A fault in here ends the recording, never the loop.
"""

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from engine.log.records import Record
from engine.session.host.address import AddressError
from engine.session.host.connection import Connection
from engine.session.host.protocol import EndHost, FromClient, Refusal
from engine.session.host.server import HostServer
from engine.tracking.controls import LoopSession
from engine.tracking.record.chunking import OpenChunk, complete
from engine.tracking.record.loop_log import LoopLog

_TICK_SECONDS: Final = 0.1
_CLOSE_SECONDS: Final = 10.0
"""Seconds that the end of a script may wait for its log, e.g. on a slow disk."""

Work = Record | OpenChunk | Callable[[], Record | None]
"""A record, or something that becomes one once its numbers are read off the device."""


class OneWarning:
    """The one warning about a loop's recording, on stderr."""

    def __init__(self) -> None:
        self._is_given = False

    def __call__(self, text: str) -> None:
        """Print the text, unless there was a warning before."""
        if not self._is_given:
            self._is_given = True
            with contextlib.suppress(Exception):
                print(f"gdtui: {text}", file=sys.stderr, flush=True)


class LoopServer(HostServer):
    """The socket of a loop, whose process may fork, e.g. for the workers of a DataLoader."""

    def __init__(self, session: LoopSession, version: str) -> None:
        super().__init__(session, version)
        self._loop = session

    def _heed(self, client: Connection, message: FromClient) -> None:
        if isinstance(message, EndHost) and (reason := self._loop.why_endless):
            self._send(client, Refusal(number=message.number, reason=reason))
        else:
            super()._heed(client, message)

    def abandon(self) -> None:
        """Close all descriptors in a forked process, whose parent owns the socket and the note."""
        for client in self._clients:
            client.link.close()
        self._selector.close()
        if self._listener is not None:
            self._listener.socket.close()


class Background:
    """The thread of a loop's recording and socket."""

    def __init__(
        self,
        recording: LoopLog,
        session: LoopSession,
        version: str,
        warn: Callable[[str], object],
    ) -> None:
        """Listen, and start the thread. Without a socket, the run can be watched only."""
        self._recording, self._session, self._warn = recording, session, warn
        self._queue: deque[Work] = deque()
        self._is_closing = threading.Event()
        self.is_broken = False
        """True once a fault has ended the recording."""
        self._server: LoopServer | None = None
        try:
            self._server = LoopServer(session, version)
        except (AddressError, OSError) as error:
            warn(f"this run cannot be attached to: {error}. Training goes on, and is recorded")
        self._thread = threading.Thread(target=self._run, name="gdtui", daemon=True)
        self._thread.start()

    def put(self, work: Work) -> None:
        """Have this written; never waits."""
        if not self.is_broken:
            self._queue.append(work)

    @property
    def is_waiting(self) -> bool:
        """True while records wait because the log cannot be written."""
        return self._recording.is_waiting

    @property
    def is_end_asked(self) -> bool:
        """True once a client has asked for the end of the run."""
        return self._server is not None and self._server.is_end_asked

    def close(self) -> None:
        """Write everything that was put, close the files and the socket."""
        self._is_closing.set()
        self._thread.join(_CLOSE_SECONDS)

    def abandon(self) -> None:
        """Let go of files and sockets in a forked process, whose parent owns them."""
        self.is_broken = True
        with contextlib.suppress(OSError):
            self._recording.abandon()
        if self._server is not None:
            self._server.abandon()

    # --- In the thread --------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._is_closing.is_set():
                self._serve()
                self._write()
                self._recording.retry()
                self._recording.announce_others()
            self._write()
            self._finish()
        except BaseException as error:
            self._break(error)

    def _serve(self) -> None:
        if self._server is None:
            self._is_closing.wait(_TICK_SECONDS)
            return
        self._server.serve(_TICK_SECONDS)

    def _write(self) -> None:
        while self._queue:
            work = self._queue.popleft()
            if isinstance(work, OpenChunk):
                self._recording.write(complete(work))
            elif isinstance(work, Record):
                self._recording.write(work)
            elif (record := work()) is not None:
                self._recording.write(record)

    def _finish(self) -> None:
        if self._server is not None:
            self._server.close()
        self._recording.close()

    def _break(self, error: BaseException) -> None:
        """End the recording after a fault; the loop is not held by it."""
        self.is_broken = True
        self._queue.clear()
        self._session.release()
        self._warn(
            f"the recording of this run has ended by a fault of gdtui ({type(error).__name__}: "
            f"{error}), process {os.getpid()}. Training goes on"
        )
        with contextlib.suppress(Exception):
            self._finish()
