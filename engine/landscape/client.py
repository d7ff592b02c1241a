"""A run's landscape, worked out in a process of its own: what it is asked and answers, and the way to it.

Imports no torch: landscape/server.py is the process. A survey belongs to one viewer; nothing of it is kept.
"""

import contextlib
import threading
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

import msgspec

from engine.jobs.fork_server import start_process
from engine.landscape.plane import Window
from engine.log.directory import RunDirectory

_JOIN_SECONDS: Final = 1.0


class SurveyTask(msgspec.Struct, frozen=True, kw_only=True):
    """All that a surveyor is told when it starts."""

    run: str
    """The run directory."""
    output: str


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What to survey from now on."""

    id: int
    window: Window | None
    """A part of the plane; None: what all trajectories fill, on a plane that is laid anew as they grow."""
    columns: int
    rows: int


class Survey(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that a surveyor found."""


class Laid(Survey, frozen=True, kw_only=True):
    """The plane and the window that what follows is about; everything before is void."""

    id: int
    window: Window
    explained: float
    """The share of the trajectories' variance in the plane."""
    is_exact: bool
    """The problem has no more than two parameters: the plane is all there is."""
    samples: int
    """That the loss is the mean over, of n."""
    n: int
    normalises: bool
    """BatchNorm and its like take their statistics anew, from these samples, at each point."""
    remembers_more: bool
    """Training changes something else beside weights and statistics: it stands as at the start."""


class LossRow(Survey, frozen=True, kw_only=True):
    """One row of a grid over the window: row 0 of `rows` is at the top."""

    row: int
    rows: int
    losses: bytes
    """Little-endian float32 from the left."""


class Paths(Survey, frozen=True, kw_only=True):
    """The trajectories on the plane, in the variants' order."""

    points: tuple[bytes, ...]
    """Pairs of little-endian float32 for each."""


class SurveyFailed(Survey, frozen=True, kw_only=True):
    """There is nothing to see, and why."""

    detail: str


AnySurvey = Laid | LossRow | Paths | SurveyFailed
_DECODER: Final = msgspec.msgpack.Decoder(AnySurvey)


class Surveyor:
    """The viewer's end. Starts its process in a thread, since that may wait for torch's import."""

    def __init__(self, run: RunDirectory, output: Path) -> None:
        self._task = SurveyTask(run=str(run.path.absolute()), output=str(output))
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._wanted: Look | None = None
        self._failure = ""
        self._is_closed = False
        self._lock = threading.Lock()
        threading.Thread(target=self._start, daemon=True, name="surveyor").start()

    def _start(self) -> None:
        from engine.landscape import server

        try:
            process, pipe = start_process(server.main, (self._task,), name="surveyor")
        except Exception as error:  # whatever multiprocessing throws
            self._failure = f"its process could not be started ({error})"
            return
        with self._lock:
            self._process, self._pipe = process, pipe
            if self._is_closed:
                self._end()
            elif self._wanted is not None:
                self._send(self._wanted)

    def look(self, wanted: Look) -> None:
        """Survey this from now on."""
        with self._lock:
            self._wanted = wanted
            if self._pipe is not None:
                self._send(wanted)

    def _send(self, wanted: Look) -> None:
        assert self._pipe is not None
        with contextlib.suppress(OSError):  # it has died: `take` will say so
            self._pipe.send_bytes(msgspec.msgpack.encode(wanted))

    def take(self, most: int = 200) -> list[AnySurvey]:
        """What it has found since; never blocks."""
        if self._failure:
            failed, self._failure = SurveyFailed(detail=self._failure), ""
            return [failed]
        found: list[AnySurvey] = []
        pipe = self._pipe
        if pipe is None or pipe.closed:
            return found
        try:
            while len(found) < most and pipe.poll():
                found.append(_DECODER.decode(pipe.recv_bytes()))
        except (EOFError, OSError):
            pipe.close()
            found.append(SurveyFailed(detail="its process has died; esc, then v starts another"))
        return found

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._is_closed = True
            self._end()

    def _end(self) -> None:
        if self._pipe is not None and not self._pipe.closed:
            self._pipe.close()  # the end of its pipe is its end
        if self._process is not None:
            self._process.join(_JOIN_SECONDS)
            if self._process.is_alive():
                self._process.kill()
