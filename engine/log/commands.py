"""Commands of a session to a worker, down its pipe."""

import msgspec

from engine.settings import VariantSettings
from engine.settings.ranges import Identifier, Ordinal, Pace


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A command to a worker."""

    id: Identifier
    """Grows with every command; a record that carries it confirms it and earlier ones of its kind.

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
