"""The records that a session writes, about events that workers cannot record."""

from engine.log.commands import AnyCommand
from engine.log.records.base import Record
from engine.log.records.origin import Point
from engine.settings import VariantSettings
from engine.settings.ranges import Identifier


class CommandSent(Record, frozen=True, kw_only=True):
    """A command was sent to a variant; pending until a record of its log confirms the id."""

    variant: str
    command: AnyCommand


class WorkerDied(Record, frozen=True, kw_only=True):
    """A worker's pipe closed although the worker had not been asked to stop."""

    variant: str
    detail: str
    worker: Identifier = 0
    """The worker's number, as in StateChanged; 0 if unknown, which means the latest worker."""


class WorkerReplaced(Record, frozen=True, kw_only=True):
    """A new worker continues the log of one that has ended; commands up to `command` were lost."""

    variant: str
    command: Identifier
    worker: Identifier = 0
    """The number of the new worker, as in StateChanged; 0 if unknown."""


class VariantAdded(Record, frozen=True, kw_only=True):
    """A variant was added to the run while it was trained; run.json has held it since before."""

    variant: str
    settings: VariantSettings
    origin: Point | None = None
    """The point of another variant after which it begins; None for the initial weights."""


class VariantRemoved(Record, frozen=True, kw_only=True):
    """The variant is no longer part of the comparison; its log stays.

    A later WorkerReplaced takes it in again.
    """

    variant: str
