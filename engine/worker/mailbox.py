"""The worker's end of the pipe to its session: commands come in, notes go out."""

import contextlib
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Final

import msgspec

from engine.jobs.child_side import end_with_parent
from engine.log.commands import AnyCommand, Stop
from engine.worker.protocol import Note

_GRACE: Final = 1.0
"""Seconds that a worker gets to end after its session has, however long its step takes."""

_COMMAND: Final = msgspec.msgpack.Decoder(AnyCommand)


class Mailbox:
    """The worker's end of the pipe, read on its own thread: it sees the session's end mid-step."""

    def __init__(self, pipe: Connection, at_pipes_end: Callable[[], None] = lambda: None) -> None:
        """`at_pipes_end`: called on the reading thread when the session has ended or is killed."""
        self._pipe = pipe
        self._at_pipes_end = at_pipes_end
        self._queue: SimpleQueue[AnyCommand] = SimpleQueue()
        end_with_parent(
            pipe, at_end=self._stop, take=lambda message: self._queue.put(_COMMAND.decode(message))
        )

    def _stop(self) -> float:
        self._queue.put(Stop(id=0))
        self._at_pipes_end()
        return _GRACE

    def take(self, timeout: float | None) -> list[AnyCommand]:
        """Commands that have arrived; waits up to `timeout` s (None: for ever) for a first one."""
        commands = []
        try:
            if timeout is None or timeout > 0:
                commands.append(self._queue.get(timeout=timeout))
            while True:
                commands.append(self._queue.get_nowait())
        except Empty:
            return commands

    def send(self, note: Note) -> None:
        with contextlib.suppress(
            OSError
        ):  # the session is gone, as the listening thread has noticed
            self._pipe.send_bytes(msgspec.msgpack.encode(note))
