"""Work beside the run, at the user's wish: one piece at a time, in processes of its own.

Owns these, and what was found until the app ends. Training waits meanwhile, so that the figures are
those of a free machine; it goes on when the work ends, whichever way. Knows no widget.
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
"""As ProcessJob wants it, or ThreadJob: picklable, or light and told where to show what it finds.
"""
StartJob = Callable[[Work, str], Job[Any]]
_STARTING: Final = Progress(0.0, "starting")


class Holder(Protocol):
    """Can make training wait; `gdtui.control.run_controller.RunController` is one."""

    @property
    def is_ours(self) -> bool:
        """It may."""

    def hold(self) -> bool:
        """Pause what trains; False: there was nothing to pause, or it is not ours."""

    def release(self) -> None:
        """Let it go on."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A piece of work that is over: of what name, and how."""

    name: str
    end: Result[Any] | Failure


class Lab:
    """Runs one thing at a time and keeps what came of each."""

    def __init__(
        self,
        holder: Holder,
        start_process: StartJob = ProcessJob,
        start_thread: StartJob = ThreadJob,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: seconds from any start."""
        self._holder = holder
        self._start_process = start_process
        self._start_thread = start_thread
        self._clock = clock
        self._job: Job[Any] | None = None
        self._holds = False
        self._began = 0.0
        self.name = ""
        """The name of the work that runs; empty: none does."""
        self.progress = _STARTING
        """Its progress."""
        self.partial: Any = None
        """Its result so far; None: nothing to be seen."""
        self.ends: dict[str, Result[Any] | Failure] = {}
        """The last result or failure of each work that was run, by its name."""

    @property
    def is_ours(self) -> bool:
        """Training waits for what runs here, and can be told what was found."""
        return self._holder.is_ours

    @property
    def holds(self) -> bool:
        """Training was made to wait."""
        return self._holds

    @property
    def seconds(self) -> float:
        """Since what runs was begun."""
        return self._clock() - self._began

    def run(self, name: str, work: Work, *, on_thread: bool = False) -> bool:
        """Begin; False while something else runs.

        `on_thread`: it starts processes itself, and is none.
        """
        if self.name:
            return False
        self.ends.pop(name, None)
        self.name, self.progress, self.partial, self._began = name, _STARTING, None, self._clock()
        self._holds = self._holder.hold()
        self._job = (self._start_thread if on_thread else self._start_process)(work, name)
        return True

    def look(self) -> Ended | None:
        """Take in what the work reports; what has ended now, if it has."""
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
        """End what runs, and let training go on that waited for it."""
        self.close()
        if self._holds:
            self._holds = False
            self._holder.release()

    def close(self) -> None:
        """End what runs; nothing of it is left. Safe to repeat."""
        job, self._job, self.name = self._job, None, ""
        if job is not None:
            with contextlib.suppress(OSError):
                job.close()
