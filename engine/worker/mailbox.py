"""The worker's end of the pipe to its session: commands come in, notes go out.

Sees to it that a worker that is told to stop does so: where its loop is in the middle of a long
step, the log is closed in its place.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Final

import msgspec

from engine.jobs.child_side import end_with_parent
from engine.log.commands import AnyCommand, Stop, without_superseded
from engine.worker.protocol import Note

_GRACE: Final = 0.5
"""Seconds that the loop gets to close the log when it is told to, or when its session has ended.

A slice of training takes 0.03 s. A step that takes longer is given up: it would have to be waited
for, and its loss is in no log yet.
"""

_COMMAND: Final = msgspec.msgpack.Decoder(AnyCommand)


class Mailbox:
    """The worker's end of the pipe, read on its own thread: it sees the session's end mid-step."""

    def __init__(self, pipe: Connection, at_pipes_end: Callable[[], None] = lambda: None) -> None:
        """`at_pipes_end`: called on the reading thread when the session has ended or is killed."""
        self._pipe = pipe
        self._at_pipes_end = at_pipes_end
        self._queue: SimpleQueue[AnyCommand] = SimpleQueue()
        self.close_log: Callable[[], None] = lambda: None
        """Closes the log from any thread, for good; nothing can be written after it."""
        end_with_parent(pipe, at_end=self._lose_session, take=self._receive)

    def _receive(self, message: bytes) -> None:
        command = _COMMAND.decode(message)
        self._queue.put(command)
        if isinstance(command, Stop):
            threading.Thread(target=self._end, daemon=True, name="stop").start()

    def _lose_session(self) -> float:
        self._queue.put(Stop(id=0))
        self._at_pipes_end()
        self._end()
        return 0.0

    def _end(self) -> None:
        """End this process, unless its loop does so in time."""
        time.sleep(_GRACE)
        self.close_log()
        os._exit(0)

    def take(self, timeout: float | None) -> list[AnyCommand]:
        """Commands that have arrived; waits up to `timeout` s (None: for ever) for a first one.

        Without those that a later one supersedes.
        """
        commands = []
        try:
            if timeout is None or timeout > 0:
                commands.append(self._queue.get(timeout=timeout))
            while True:
                commands.append(self._queue.get_nowait())
        except Empty:
            return without_superseded(commands)

    def send(self, note: Note) -> None:
        with contextlib.suppress(
            OSError
        ):  # the session is gone, as the listening thread has noticed
            self._pipe.send_bytes(msgspec.msgpack.encode(note))
