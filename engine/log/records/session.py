"""The records of a session: of what no worker can write."""

from engine.log.commands import AnyCommand
from engine.log.records.base import Record
from engine.settings.ranges import Identifier


class CommandSent(Record, frozen=True, kw_only=True):
    """A variant was told to do something; pending until a record of its log confirms the id."""

    variant: str
    command: AnyCommand


class WorkerDied(Record, frozen=True, kw_only=True):
    """A worker's pipe ended and nobody had told it to stop."""

    variant: str
    detail: str
    worker: Identifier = 0
    """Its number, as in StateChanged; 0: unknown, whichever is there."""


class WorkerReplaced(Record, frozen=True, kw_only=True):
    """A new worker goes on with the log of one that died; commands up to `command` died with it."""

    variant: str
    command: Identifier
