"""A job in a separate process: work that needs torch outside training, or runs a user's code.

Importing this module does not load torch; the work does, in its process.
"""

import contextlib
import pickle
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Final, Generic, Self, TypeVar

from engine.jobs.child import STOP_SECONDS, Child
from engine.jobs.child_side import end_with_parent, settle_process
from engine.jobs.fork_server import start_process, warm_up
from engine.jobs.messages import Failure, Progress, ReportProgress, Result, run_job

T = TypeVar("T")

_REPORT_SECONDS: Final = 0.05
"""Minimum seconds between two progress messages."""
_GRACE: Final = 1.0
"""Seconds that a process has to end by itself after sending its result."""


def _do_nothing(*_: object) -> None:
    pass


class ProcessJob(Generic[T]):
    """A job in a process that is started in the background."""

    def __init__(
        self,
        work: Callable[[ReportProgress], T],
        name: str,
        *,
        at_abandoning: Callable[[], object] = _do_nothing,
        at_death: Callable[[int], object] = _do_nothing,
        patience: float = STOP_SECONDS,
        subject: str = "its process",
    ) -> None:
        """Start the job. `work` and its result must be picklable, e.g. a partial of a function.

        The process calls `at_abandoning`, also picklable, if its starter ends before the work is
        done. `at_death` is called here with its id if it ends before it has sent a result.
        `patience` is the number of seconds that the process may take to end. `subject` names
        the process in failure messages.
        """
        with contextlib.suppress(OSError):  # the start will report it
            warm_up()
        start = partial(start_process, _main, (work, at_abandoning), name=name)
        self._child = Child(start, name, patience)
        self._at_death = at_death
        self._subject = subject
        self._has_ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def poll(self, timeout: float = 0.0) -> list[Progress | Result[T] | Failure]:
        """The messages since the last call; waits up to `timeout` seconds for the first one."""
        messages: list[Progress | Result[T] | Failure] = [
            pickle.loads(message) for message in self._child.receive(timeout)
        ]
        self._has_ended |= any(isinstance(message, Result | Failure) for message in messages)
        if self._child.has_ended and not self._has_ended:
            self._has_ended = True
            messages.append(self._death())
        return messages

    def _death(self) -> Failure:
        if self._child.start_failure is not None:
            return Failure(
                detail=f"{self._subject} could not be started ({self._child.start_failure})"
            )
        death = self._child.cause_of_death()
        if self._child.pid is not None:
            self._at_death(self._child.pid)
        return Failure(detail=f"{self._subject} {death}", death=death)

    def wait(
        self, report: Callable[[Progress], None] = lambda progress: None
    ) -> Result[T] | Failure:
        """Wait for the job, calling `report` with its progress several times a second.

        Ctrl+C works meanwhile.
        """
        progress = Progress(0.0, "starting")
        while True:
            for message in self.poll(timeout=0.2):
                if not isinstance(message, Progress):
                    return message
                progress = message
            report(progress)

    def close(self) -> None:
        """Cancel the job if it is still running. Safe to repeat."""
        self._child.close()


def _main(
    work: Callable[[ReportProgress], object], at_abandoning: Callable[[], object], pipe: Connection
) -> None:
    """The main function of the process: do the work, report progress, send the result."""
    settle_process()
    reporter = _Reporter(pipe, at_abandoning)
    end_with_parent(pipe, at_end=reporter.grace, take=lambda message: None)
    reporter.finish(run_job(lambda: work(reporter.report)))


class _Reporter:
    """The process's end of the pipe."""

    def __init__(self, pipe: Connection, at_abandoning: Callable[[], object]) -> None:
        self._pipe = pipe
        self._at_abandoning = at_abandoning
        self._next = 0.0
        self._is_done = threading.Event()

    def report(self, fraction: float, activity: str) -> None:
        """Send the progress, unless the last message was too recent."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _REPORT_SECONDS
            self._send(Progress(fraction, activity))

    def finish(self, end: Result[object] | Failure) -> None:
        """Send the result or the failure."""
        self._is_done.set()  # first, since the receiver closes the pipe
        self._send(end)

    def grace(self) -> float:
        """Seconds that the process has to end by itself once the pipe closed; 0 during the work."""
        if self._is_done.is_set():
            return _GRACE
        self._at_abandoning()
        return 0.0

    def _send(self, message: Progress | Result[object] | Failure) -> None:
        with contextlib.suppress(
            OSError
        ):  # the starter is gone; the thread that reads the pipe ends this process
            self._pipe.send_bytes(pickle.dumps(message))
