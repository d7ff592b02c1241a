"""The messages that wait to be sent down a pipe: sending never waits for whoever should read.

A process that is stopped, or busy in one long step, reads nothing, and its pipe fills up. What does
not fit waits here, and a newer message takes the place of those that it makes superfluous: so the
queue is as long as there are kinds of messages, however many keys are pressed.
"""

import contextlib
import select
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

Supersedes = Callable[[Any, Any], bool]
"""Tells from the labels of a new and of a waiting message whether the latter may be dropped."""


def supersedes_nothing(new: object, old: object) -> bool:
    """Every message counts."""
    return False


class Outbox:
    """The messages to one process, oldest first. Not thread-safe."""

    def __init__(self, supersedes: Supersedes = supersedes_nothing) -> None:
        self._supersedes = supersedes
        self._waiting: list[tuple[object, bytes]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: bytes, label: object = None) -> None:
        """Let a message wait, and drop those that it supersedes."""
        kept = [each for each in self._waiting if not self._supersedes(label, each[0])]
        self._waiting = [*kept, (label, message)]

    def flush(self, pipe: Connection) -> None:
        """Send as many as the pipe takes without waiting; all are dropped when nobody reads."""
        if not self._waiting:
            return
        with contextlib.suppress(OSError):  # its process has died, as the reading end will find
            room = select.poll()
            room.register(pipe.fileno(), select.POLLOUT)
            # A pipe that has room takes a message of some hundred bytes without blocking.
            while self._waiting and room.poll(0):
                pipe.send_bytes(self._waiting[0][1])
                del self._waiting[0]
            return
        self._waiting.clear()
