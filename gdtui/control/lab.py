"""What is measured beside the run, at the user's wish: one piece of work at a time, in processes of its own.

Owns these, and what was found until the app ends. Training waits meanwhile, so that the figures are
those of a free machine; it goes on when the work ends, whichever way. Knows no widget.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from engine.jobs.process_job import Done, Failed, Found, Part, Running
from engine.jobs.thread_job import Beside

Work = Callable[..., Any]
"""As Running wants it, or Beside: picklable, or light and told where to show what it finds."""
_STARTING: Final = Done(0.0, "starting")


class Process(Protocol):
    """The part of `process_job.Running`, and of `thread_job.Beside`, that is needed."""

    def poll(self) -> Sequence[Done | Part | Found[Any] | Failed]: ...
    def close(self) -> None: ...


class Holder(Protocol):
    """Who can make training wait; `gdtui.control.commander.Commander` is one."""

    @property
    def is_ours(self) -> bool:
        """It may."""

    def hold(self) -> bool:
        """Pause what trains; False: there was nothing to pause, or it is not ours."""

    def release(self) -> None:
        """Let it go on."""


@dataclass(slots=True)
class _Errand:
    """A process that is started on a thread, since that blocks while torch is imported."""

    begin: Callable[[], Process]
    _process: Process | None = None
    _failure: str = ""
    _is_closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        threading.Thread(target=self._start, daemon=True, name="errand").start()

    def _start(self) -> None:
        try:
            process = self.begin()
        except Exception as error:  # whatever multiprocessing throws
            self._failure = f"its process could not be started ({error})"
            return
        with self._lock:
            self._process = process
            if self._is_closed:
                process.close()

    def poll(self) -> Sequence[Done | Part | Found[Any] | Failed]:
        if self._process is not None:
            return self._process.poll()
        return [Failed(detail=self._failure)] if self._failure else []

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            if self._process is not None:
                self._process.close()


@dataclass(frozen=True, slots=True)
class Ended:
    """A piece of work that is over: of what name, and how."""

    name: str
    end: Found[Any] | Failed


class Lab:
    """Runs one thing at a time and keeps what came of each."""

    def __init__(
        self,
        holder: Holder,
        begin: Callable[[Work, str], Process] = Running,
        begin_beside: Callable[[Work, str], Process] = Beside,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: seconds from any start."""
        self._holder = holder
        self._begin = begin
        self._begin_beside = begin_beside
        self._clock = clock
        self._errand: _Errand | None = None
        self._holds = False
        self._began = 0.0
        self.name = ""
        """Of what runs; empty: nothing does."""
        self.done = _STARTING
        """How far that is."""
        self.so_far: Any = None
        """What it has found of its result; None: nothing to be seen."""
        self.ends: dict[str, Found[Any] | Failed] = {}
        """What came of everything that was run, by name, the last time."""

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

    def run(self, name: str, work: Work, *, beside: bool = False) -> bool:
        """Begin; False while something else runs. `beside`: it starts processes itself, and is none."""
        if self.name:
            return False
        self.ends.pop(name, None)
        self.name, self.done, self.so_far, self._began = name, _STARTING, None, self._clock()
        self._holds = self._holder.hold()
        begin = self._begin_beside if beside else self._begin
        self._errand = _Errand(lambda: begin(work, name))
        self._errand.start()
        return True

    def look(self) -> Ended | None:
        """Take in what the work tells; what has ended now, if it has."""
        for message in self._errand.poll() if self._errand is not None else []:
            if isinstance(message, Done):
                self.done = message
                continue
            if isinstance(message, Part):
                self.so_far = message.result
                continue
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
        errand, self._errand, self.name = self._errand, None, ""
        if errand is not None:
            with contextlib.suppress(OSError):
                errand.close()
