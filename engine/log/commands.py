"""Commands of a session to a worker, down its pipe."""

from collections.abc import Iterable

import msgspec

from engine.settings import VariantSettings
from engine.settings.ranges import Identifier, Ordinal, Pace


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A command to a worker."""

    id: Identifier
    """Grows with every command.

    A record that carries it confirms it, and the earlier ones of its kind.
    """


class Change(Command, frozen=True, kw_only=True):
    """Train with these settings from the next group boundary on."""

    settings: VariantSettings


class Restart(Command, frozen=True, kw_only=True):
    """Begin the next generation: same first weights and order, counters from 0, these settings."""

    settings: VariantSettings


class Pause(Command, frozen=True, kw_only=True):
    """Stop training after the batch at hand."""


class Resume(Command, frozen=True, kw_only=True):
    """Resume; also retries a log that could not be written."""


class StepOnce(Command, frozen=True, kw_only=True):
    """Do one update (the rest of it, in mid-group), then pause."""


class SetPace(Command, frozen=True, kw_only=True):
    """Train `pace` epochs per second from now on; None is as fast as the device goes."""

    pace: Pace | None


class Extend(Command, frozen=True, kw_only=True):
    """Train up to this many epochs in all."""

    epochs: Ordinal


class Measure(Command, frozen=True, kw_only=True):
    """Measure noise scale and sharpness at once, whatever share of the time it takes."""


class SetMeasuring(Command, frozen=True, kw_only=True):
    """Measure now and then, within a share of the time, or not at all."""

    is_on: bool


class Stop(Command, frozen=True, kw_only=True):
    """Close the log and end."""


AnyCommand = (
    Change | Restart | Pause | Resume | StepOnce | SetPace | Extend | Measure | SetMeasuring | Stop
)


def supersedes(new: AnyCommand, old: AnyCommand) -> bool:
    """True when `old` need not be obeyed once `new` is there, while neither has been.

    Settings, epochs and pace are told as they should be, not by how much they change: the newest
    holds the sum of all steps. A restart has settings of its own.
    """
    match new:
        case Restart():
            return isinstance(old, Change | Restart)
        case Pause() | Resume():
            return isinstance(old, Pause | Resume)
        case Stop():
            return True
        case _:
            return type(old) is type(new)


def without_superseded(commands: Iterable[AnyCommand]) -> list[AnyCommand]:
    """The commands that are still to be obeyed, in their order."""
    kept: list[AnyCommand] = []
    for command in commands:
        kept = [each for each in kept if not supersedes(command, each)]
        kept.append(command)
    return kept
