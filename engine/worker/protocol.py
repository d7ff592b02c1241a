"""The messages between a session and a worker: the task at the start, and the worker's notes.

The commands are in engine/log/commands.py, since they are also logged.
"""

import time

import msgspec

from engine.log.filesystem.identity import FileIdentity
from engine.log.records import Point
from engine.settings import RunSettings, Variant, VariantSettings


class RunClock(msgspec.Struct, frozen=True, kw_only=True):
    """The clock of a run: the system clock at its start, advanced by the monotonic clock.

    All processes of a run share it, so that the times in their logs are consistent. Adjustments of
    the system clock do not affect it.
    """

    wall: float
    """Seconds since the Unix epoch at the start."""
    monotonic: float
    """time.monotonic() at that moment; all processes of a machine share this clock."""

    @classmethod
    def start(cls) -> "RunClock":
        """A clock that starts now."""
        return cls(wall=time.time(), monotonic=time.monotonic())

    def now(self) -> float:
        """Seconds since the Unix epoch, ignoring adjustments of the clock since the start."""
        return self.wall + time.monotonic() - self.monotonic


class WorkerTask(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a worker receives when it starts."""

    run: RunSettings
    variant: Variant
    device: str
    devices: tuple[str, ...] = ()
    """The names of the devices of all variants: those that mean the same one share it."""
    stored: str = ""
    """The private directory with what the loader found; if empty, the worker loads the problem."""
    log: str
    logs: dict[str, str] = {}
    """The logs of all variants by name, from whose trainings this one may go on."""
    origin: Point | None = None
    """The point after which it begins the next generation; None for the initial weights."""
    continued: FileIdentity | None = None
    """The file that earlier workers wrote at `log`; None for the first worker."""
    output: str
    threads: int
    epochs: int
    pace: float | None
    measuring: bool = True
    is_paused: bool = False
    """True if it must not train before it is resumed."""
    is_resumed: bool = False
    """True if it goes on with the training in its log, rather than begin another generation."""
    number: int = 1
    """The worker's number within the variant: 1, then 1 more for each replacement."""
    clock: RunClock = msgspec.field(default_factory=RunClock.start)


class Note(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A short message from a worker about something that its log cannot record."""


class WorkerReady(Note, frozen=True, kw_only=True):
    """The worker is running and has locked its log."""

    pid: int
    log: FileIdentity


class LogBlocked(Note, frozen=True, kw_only=True):
    """The log cannot be written; the worker pauses, keeps its records and retries on Resume."""

    detail: str
    remedy: str
    """The user's way to fix it, as an imperative."""
    is_gone: bool = False
    """True if the file is no longer at its path; the worker then also retries by itself."""


class LogRefused(Note, frozen=True, kw_only=True):
    """The worker cannot open its log, and ends."""

    detail: str


class LogUnblocked(Note, frozen=True, kw_only=True):
    """The waiting records have been written; nothing was lost."""


class NoCheckpoint(Note, frozen=True, kw_only=True):
    """A checkpoint could not be kept; the training goes on."""

    detail: str


class DeviceLost(Note, frozen=True, kw_only=True):
    """The worker's process has lost its device for good; another shall restart in its place."""

    settings: VariantSettings
    """The settings to restart with."""
    origin: Point | None = None
    """The point to rewind to; None to begin at the initial weights."""


class BuildWanted(Note, frozen=True, kw_only=True):
    """The worker would like a compiled step; the session answers with a BuildAnswer."""

    spec: bytes
    """Its description; equal for equal programs."""
    least_operations: int = 0
    """Operations of an update below which it takes too long for overhead to matter; 0: build it."""


AnyNote = (
    WorkerReady | LogBlocked | LogRefused | LogUnblocked | NoCheckpoint | DeviceLost | BuildWanted
)


class BuildAnswer(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A session's answer to a worker that wants a compiled step."""

    spec: bytes
    key: str = ""
    """The identity of the compiled step, equal for equal ones; "" if there is none."""
    path: str = ""
    """Its file; "" if the worker makes it from the description, within a slice."""
    reason: str = ""
    """Why there is none, in one line; "" if it is not worth a line."""
