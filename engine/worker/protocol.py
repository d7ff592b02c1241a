"""The messages between a session and a worker: the task down at the start, notes up its pipe.

Commands go down the pipe, too: engine/log/commands.py, since the log holds them.
"""

import msgspec

from engine.settings import RunSettings, Variant


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
    output: str
    threads: int
    epochs: int
    pace: float | None
    measuring: bool = True
    is_paused: bool = False
    """True when it must not train before it is told to."""


class Note(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A small message up the pipe, about what the log cannot tell."""


class WorkerReady(Note, frozen=True, kw_only=True):
    """The worker runs and owns its log."""

    pid: int


class LogBlocked(Note, frozen=True, kw_only=True):
    """The log cannot be written: the worker pauses, keeps its records, retries on Resume."""

    detail: str
    remedy: str
    """The help against it, as a command."""


class LogRefused(Note, frozen=True, kw_only=True):
    """The worker cannot have its log, and ends."""

    detail: str


class LogUnblocked(Note, frozen=True, kw_only=True):
    """The waiting records are written; nothing was lost."""


AnyNote = WorkerReady | LogBlocked | LogRefused | LogUnblocked
