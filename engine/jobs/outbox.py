"""Messages that wait to be sent through a pipe, so that sending never waits for the reader.

A process that is stopped, or busy with a long step, does not read, and its pipe fills up. Messages
that do not fit wait here, and a newer message replaces those that it supersedes. The queue is thus
never longer than the number of kinds of messages, however many keys are pressed.
"""

import contextlib
import select
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

Supersedes = Callable[[Any, Any], bool]
"""Takes the labels of a new and a waiting message; true if the waiting one may be dropped."""


def supersedes_nothing(new: object, old: object) -> bool:
    """Keep every message."""
    return False


class Outbox:
    """The messages to one process, oldest first. Not thread-safe."""

    def __init__(self, supersedes: Supersedes = supersedes_nothing) -> None:
        self._supersedes = supersedes
        self._waiting: list[tuple[object, bytes]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: bytes, label: object = None) -> None:
        """Queue a message, and drop those that it supersedes."""
        kept = [each for each in self._waiting if not self._supersedes(label, each[0])]
        self._waiting = [*kept, (label, message)]

    def flush(self, pipe: Connection) -> None:
        """Send as many messages as the pipe has room for; drop all if its reader is gone."""
        if not self._waiting:
            return
        with contextlib.suppress(OSError):  # the process has died, as `receive` will notice
            room = select.poll()
            room.register(pipe.fileno(), select.POLLOUT)
            # A pipe with room accepts a message of a few hundred bytes without blocking.
            while self._waiting and room.poll(0):
                pipe.send_bytes(self._waiting[0][1])
                del self._waiting[0]
            return
        self._waiting.clear()
