"""The worker's end of the pipe to its session: it receives commands and sends notes.

It ensures that a worker stops when commanded to: if the loop is in the middle of a long step, the
mailbox closes the log and ends the process.
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
from engine.worker.protocol import BuildAnswer, Note

_GRACE: Final = 0.5
"""Seconds that the loop has to close the log after Stop, or after its session has ended.

A slice of training takes 0.03 s. A step that takes longer is abandoned: its loss is not in the log
yet.
"""

_MESSAGE: Final = msgspec.msgpack.Decoder(AnyCommand | BuildAnswer)


class Mailbox:
    """The worker's end of the pipe, read in a thread that notices the session's end mid-step."""

    def __init__(self, pipe: Connection, at_pipes_end: Callable[[], None] = lambda: None) -> None:
        """The reading thread calls `at_pipes_end` when the session has ended or was killed."""
        self._pipe = pipe
        self._at_pipes_end = at_pipes_end
        self._queue: SimpleQueue[AnyCommand] = SimpleQueue()
        self.answers: SimpleQueue[BuildAnswer] = SimpleQueue()
        """Answers to BuildWanted, which wait until training looks at them."""
        self.before_end: Callable[[], None] = lambda: None
        """Waits for a checkpoint that is being written."""
        self.close_log: Callable[[], None] = lambda: None
        """Closes the log from any thread; nothing can be written afterwards."""
        end_with_parent(pipe, at_end=self._lose_session, take=self._receive)

    def _receive(self, message: bytes) -> None:
        command = _MESSAGE.decode(message)
        if isinstance(command, BuildAnswer):
            self.answers.put(command)
            return
        self._queue.put(command)
        if isinstance(command, Stop):
            threading.Thread(target=self._end, daemon=True, name="stop").start()

    def _lose_session(self) -> float:
        self._queue.put(Stop(id=0))
        self._at_pipes_end()
        self._end()
        return 0.0

    def _end(self) -> None:
        """End this process, unless the loop does so in time."""
        time.sleep(_GRACE)
        self.before_end()
        self.close_log()
        os._exit(0)

    def take(self, timeout: float | None) -> list[AnyCommand]:
        """Commands that have arrived, without superseded ones.

        Waits up to `timeout` seconds for the first one, or without limit if None.
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
        with contextlib.suppress(OSError):  # the session is gone, which the reading thread notices
            self._pipe.send_bytes(msgspec.msgpack.encode(note))
