"""The worker's end of the pipe to its session: commands come in, notes go out."""

import contextlib
import os
import threading
import time
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Final

import msgspec

from engine.log.commands import AnyCommand, Stop
from engine.worker.notes import Note

_GRACE: Final = 1.0
"""Seconds that a worker without a session has to end by itself, however long its step takes."""

_COMMAND: Final = msgspec.msgpack.Decoder(AnyCommand)


class Mailbox:
    """The worker's end of the pipe, read by a thread of its own: it sees the session's end in mid-step."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._queue: SimpleQueue[AnyCommand] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True, name="mailbox").start()

    def _listen(self) -> None:
        try:
            while True:
                self._queue.put(_COMMAND.decode(self._pipe.recv_bytes()))
        except (EOFError, OSError):
            self._queue.put(Stop(id=0))
            time.sleep(_GRACE)
            os._exit(1)

    def take(self, timeout: float | None) -> list[AnyCommand]:
        """What has come; waits up to `timeout` seconds (None: for ever) for a first one."""
        commands = []
        try:
            if timeout is None or timeout > 0:
                commands.append(self._queue.get(timeout=timeout))
            while True:
                commands.append(self._queue.get_nowait())
        except Empty:
            return commands

    def send(self, note: Note) -> None:
        with contextlib.suppress(OSError):  # the session is gone: the listening thread has seen it, too
            self._pipe.send_bytes(msgspec.msgpack.encode(note))
