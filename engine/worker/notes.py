"""What a worker tells its session, up its pipe: only what the log cannot tell."""

import msgspec


class Note(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A small message up the pipe, about what the log cannot tell."""


class WorkerReady(Note, frozen=True, kw_only=True):
    """The worker runs and owns its log."""

    pid: int


class LogBlocked(Note, frozen=True, kw_only=True):
    """The log cannot be written: the worker pauses, keeps what it has, and tries again on Resume."""

    detail: str


class LogRefused(Note, frozen=True, kw_only=True):
    """The worker cannot have its log, and ends."""

    detail: str


class LogUnblocked(Note, frozen=True, kw_only=True):
    """What was kept is written; nothing was lost."""


AnyNote = WorkerReady | LogBlocked | LogRefused | LogUnblocked
