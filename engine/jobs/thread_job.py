"""A job in a thread of this process, for work that itself starts processes.

A process forked from the fork server has no access to it: starting another process from there would
start a second server, which imports torch again (ForkServer.ensure_running in
multiprocessing.forkserver only finds a server that was launched by the same process). Processes
started from a thread all come from the server that is already running. The work itself must be
light and must not import torch, since the same interpreter draws the screen.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, TypeVar

from engine.jobs.messages import (
    Failure,
    PartialResult,
    Progress,
    ReportPartial,
    ReportProgress,
    Result,
    run_job,
)

T = TypeVar("T")

_STOP_SECONDS: Final = 3.0
"""Seconds for work to stop the processes that it started."""


class _Cancelled(BaseException):
    """Raised in cancelled work. Not a subclass of Exception, so that the work does not catch it."""


class ThreadJob(Generic[T]):
    """A job in a thread."""

    def __init__(self, work: Callable[[ReportProgress, ReportPartial], T], name: str) -> None:
        """Start the work.

        It must call one of its two arguments several times a second, and clean up if that call
        raises: that is how the work is cancelled.
        """
        self._work = work
        self._messages: SimpleQueue[Progress | PartialResult | Result[T] | Failure] = SimpleQueue()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=name)
        self._thread.start()

    def poll(self) -> list[Progress | PartialResult | Result[T] | Failure]:
        """The messages since the last call; never blocks."""
        messages: list[Progress | PartialResult | Result[T] | Failure] = []
        try:
            while True:
                messages.append(self._messages.get_nowait())
        except Empty:
            return messages

    def close(self) -> None:
        """Cancel the job if it is still running, and wait until it has stopped. Safe to repeat."""
        self._is_closed.set()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        try:
            end = run_job(lambda: self._work(self._report, self._report_partial))
        except _Cancelled:
            return
        self._messages.put(end)

    def _report(self, fraction: float, activity: str) -> None:
        self._put(Progress(fraction, activity))

    def _report_partial(self, value: Any) -> None:
        self._put(PartialResult(value))

    def _put(self, message: Progress | PartialResult) -> None:
        if self._is_closed.is_set():
            raise _Cancelled
        self._messages.put(message)
