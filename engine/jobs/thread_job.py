"""Runs one piece of work on a thread of this process, for work that starts processes of its own.

A process that was forked from the fork server does not know it: whoever started another from there would
start a second server, which imports torch once more (multiprocessing.forkserver.ForkServer.ensure_running
looks for a server that this very process launched). From a thread, all come from the one that runs already.
The work itself must be light, and must not import torch: the screen is drawn in the same interpreter.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, TypeVar

from engine.jobs.process_job import Done, Failed, Found, Part, Tell, come_to

T = TypeVar("T")

_STOP_SECONDS: Final = 3.0
"""How long work may take to stop what it started."""


class _Stopped(BaseException):
    """Nobody wants the result any more. No Exception: work must not take it for a failure of its own."""


class Beside(Generic[T]):
    """Work that is done on a thread, with the face of `engine.jobs.process_job.Running`."""

    def __init__(self, work: Callable[[Tell, Callable[[Any], None]], T], name: str) -> None:
        """Start `work(tell, show)`: `show` takes what is found so far.

        It must call one of the two several times a second, and clean up when that raises: so it is stopped.
        """
        self._work = work
        self._messages: SimpleQueue[Done | Part | Found[T] | Failed] = SimpleQueue()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=name)
        self._thread.start()

    def poll(self) -> list[Done | Part | Found[T] | Failed]:
        """What has come; never blocks."""
        messages: list[Done | Part | Found[T] | Failed] = []
        try:
            while True:
                messages.append(self._messages.get_nowait())
        except Empty:
            return messages

    def close(self) -> None:
        """Stop it if it still runs, and wait until it has. Safe to repeat."""
        self._is_closed.set()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        try:
            end = come_to(lambda: self._work(self._tell, self._show))
        except _Stopped:
            return
        self._messages.put(end)

    def _tell(self, share: float, what: str) -> None:
        self._put(Done(share, what))

    def _show(self, found: Any) -> None:
        self._put(Part(found))

    def _put(self, message: Done | Part) -> None:
        if self._is_closed.is_set():
            raise _Stopped
        self._messages.put(message)
