"""Work beside the run at the user's request: one piece at a time, in separate processes.

Owns the processes, and keeps their results until the app ends. Training is paused meanwhile, so
that the figures are those of a free machine, and resumes however the work ends. Knows no widget.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from engine.jobs.messages import Failure, Job, PartialResult, Progress, Result
from engine.jobs.process_job import ProcessJob
from engine.jobs.thread_job import ThreadJob

Work = Callable[..., Any]
"""Work as ProcessJob requires it (picklable), or as ThreadJob does (light, given a way to report).
"""
StartJob = Callable[[Work, str], Job[Any]]
_STARTING: Final = Progress(0.0, "starting")


class Holder(Protocol):
    """Can make training wait; `gdtui.control.run_controller.RunController` is one."""

    @property
    def is_ours(self) -> bool:
        """True if it is allowed to."""

    def hold(self) -> bool:
        """Let training wait; False if it does not run, or is not ours."""

    def release(self) -> None:
        """Resume training if it was running before `hold`."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A piece of work that has ended: its name, and its end."""

    name: str
    end: Result[Any] | Failure


class Lab:
    """Runs one piece of work at a time, and keeps the outcome of each."""

    def __init__(
        self,
        holder: Holder,
        start_process: StartJob = ProcessJob,
        start_thread: StartJob = ThreadJob,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` returns seconds since an arbitrary start."""
        self._holder = holder
        self._start_process = start_process
        self._start_thread = start_thread
        self._clock = clock
        self._job: Job[Any] | None = None
        self._holds = False
        self._began = 0.0
        self.name = ""
        """The name of the running work; empty if there is none."""
        self.progress = _STARTING
        """Its progress."""
        self.partial: Any = None
        """Its result so far; None while there is nothing to show."""
        self.ends: dict[str, Result[Any] | Failure] = {}
        """The last result or failure of each piece of work, by name."""

    @property
    def is_ours(self) -> bool:
        """True if training is ours: it waits for the work, and can be given its results."""
        return self._holder.is_ours

    @property
    def holds(self) -> bool:
        """True while training has been made to wait."""
        return self._holds

    @property
    def seconds(self) -> float:
        """Seconds since the running work began."""
        return self._clock() - self._began

    def run(self, name: str, work: Work, *, on_thread: bool = False) -> bool:
        """Start the work; False while other work is running.

        `on_thread`: the work runs on a thread, and starts processes itself.
        """
        if self.name:
            return False
        self.ends.pop(name, None)
        self.name, self.progress, self.partial, self._began = name, _STARTING, None, self._clock()
        self._holds = self._holder.hold()
        self._job = (self._start_thread if on_thread else self._start_process)(work, name)
        return True

    def look(self) -> Ended | None:
        """Take in the work's reports; returns its end if it has just ended."""
        for message in self._job.poll() if self._job is not None else []:
            match message:
                case Progress():
                    self.progress = message
                case PartialResult():
                    self.partial = message.value
                case Result() | Failure():
                    ended = Ended(self.name, message)
                    self.ends[self.name] = message
                    self.cancel()
                    return ended
        return None

    def cancel(self) -> None:
        """Cancel the running work, and resume the training that waited for it."""
        was_running = bool(self.name)
        self.close()
        if was_running:
            self._holds = False
            self._holder.release()

    def close(self) -> None:
        """Cancel the running work, leaving nothing behind. Safe to repeat."""
        job, self._job, self.name = self._job, None, ""
        if job is not None:
            with contextlib.suppress(OSError):
                job.close()
