"""The messages between a session and a worker: the task down at the start, notes up its pipe.

Commands go down the pipe, too: engine/log/commands.py, since the log holds them.
"""

import time

import msgspec

from engine.log.filesystem.identity import FileIdentity
from engine.settings import RunSettings, Variant


class RunClock(msgspec.Struct, frozen=True, kw_only=True):
    """The time of a run: the system's clock at its start, carried on by the monotonic one.

    All processes of a run have the same, so that the times in their logs fit together. A step of
    the system's clock moves none of them.
    """

    wall: float
    """Seconds since the Unix epoch at the start."""
    monotonic: float
    """time.monotonic() then; it is one clock for all processes of a machine."""

    @classmethod
    def start(cls) -> "RunClock":
        """A clock that starts now."""
        return cls(wall=time.time(), monotonic=time.monotonic())

    def now(self) -> float:
        """Seconds since the Unix epoch, as if nobody had set the clock since the start."""
        return self.wall + time.monotonic() - self.monotonic


class WorkerTask(msgspec.Struct, frozen=True, kw_only=True):
    """All that a worker is told when it starts."""

    run: RunSettings
    variant: Variant
    device: str
    sharing: int = 1
    """Variants that train on this device."""
    stored: str = ""
    """The private directory with what the loader has found; empty: the problem is made anew."""
    log: str
    continued: FileIdentity | None = None
    """The file that earlier workers have written there; None for the first."""
    output: str
    threads: int
    epochs: int
    pace: float | None
    measuring: bool = True
    is_paused: bool = False
    """True when it must not train before it is told to."""
    number: int = 1
    """Its place among the workers of the variant: each that replaces a dead one is the next."""
    clock: RunClock = msgspec.field(default_factory=RunClock.start)


class Note(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A small message up the pipe, about what the log cannot tell."""


class WorkerReady(Note, frozen=True, kw_only=True):
    """The worker runs and owns its log."""

    pid: int
    log: FileIdentity


class LogBlocked(Note, frozen=True, kw_only=True):
    """The log cannot be written: the worker pauses, keeps its records, retries on Resume."""

    detail: str
    remedy: str
    """The help against it, as a command."""
    is_gone: bool = False
    """Its file is not at its path any more; it is tried again without a command, too."""


class LogRefused(Note, frozen=True, kw_only=True):
    """The worker cannot have its log, and ends."""

    detail: str


class LogUnblocked(Note, frozen=True, kw_only=True):
    """The waiting records are written; nothing was lost."""


AnyNote = WorkerReady | LogBlocked | LogRefused | LogUnblocked
