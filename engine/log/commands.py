"""Commands that a session sends to a worker through its pipe."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from engine.settings import VariantSettings
from engine.settings.ranges import Count, Identifier, Ordinal, Pace, VariantName


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A command to a worker."""

    id: Identifier
    """Increases with every command.

    A record with this id confirms the command and all earlier commands of its kind.
    """


class Change(Command, frozen=True, kw_only=True):
    """Train with these settings from the next group boundary on."""

    settings: VariantSettings


class Restart(Command, frozen=True, kw_only=True):
    """Begin the next generation with these settings, the same initial weights and data order."""

    settings: VariantSettings


class Rewind(Command, frozen=True, kw_only=True):
    """Begin the next generation after a batch of an earlier one, then use these settings.

    It begins at the last group boundary up to that batch.
    """

    settings: VariantSettings
    generation: Count = 0
    """The number of the earlier generation; 0 for the latest one."""
    batches: Count
    """Batches done in it; 0 for the initial weights."""


class Fork(Command, frozen=True, kw_only=True):
    """Add a variant that begins after a batch of this one; to a session, never to a worker."""

    settings: VariantSettings
    """The settings of the new variant."""
    generation: Count = 0
    batches: Count
    name: VariantName = ""
    """The name of the new variant; "" to derive one."""


class Add(Command, frozen=True, kw_only=True):
    """Add a variant that begins at the initial weights; to a session, never to a worker."""

    settings: VariantSettings
    name: VariantName = ""


class Remove(Command, frozen=True, kw_only=True):
    """Stop this variant and drop it from the comparison; to a session, never to a worker."""


class Pause(Command, frozen=True, kw_only=True):
    """Stop training after the current batch."""


class Resume(Command, frozen=True, kw_only=True):
    """Resume training, and retry a log that could not be written."""


class StepOnce(Command, frozen=True, kw_only=True):
    """Do one update, or the rest of an update that has begun, then pause."""


class SetPace(Command, frozen=True, kw_only=True):
    """Train at `pace` epochs per second from now on; None means as fast as the device can."""

    pace: Pace | None


class Extend(Command, frozen=True, kw_only=True):
    """Train up to this many epochs in total."""

    epochs: Ordinal


class Measure(Command, frozen=True, kw_only=True):
    """Measure noise scale and sharpness now, however large a share of the time this takes."""


class SetMeasuring(Command, frozen=True, kw_only=True):
    """Measure periodically, within a limited share of the time, or stop measuring."""

    is_on: bool


class Keep(Command, frozen=True, kw_only=True):
    """Take a checkpoint at the next group boundary, whatever it costs."""


class Share(Command, frozen=True, kw_only=True):
    """Keep checkpoints in the space for one of so many variants."""

    variants: Ordinal


class Answer(Command, frozen=True, kw_only=True):
    """Answer a question about the output of a program; to its host, never to a worker."""

    question: Identifier = 0
    """The number of the question; 0 for the open one."""
    choice: Annotated[str, msgspec.Meta(max_length=40)]


class TypeText(Command, frozen=True, kw_only=True):
    """Type into the terminal of a program; to its host, never to a worker or into a log."""

    data: Annotated[bytes, msgspec.Meta(max_length=20_000)]
    """The bytes that a keyboard would send."""


class Stop(Command, frozen=True, kw_only=True):
    """Close the log and exit."""


AnyCommand = (
    Change
    | Restart
    | Rewind
    | Fork
    | Add
    | Remove
    | Pause
    | Resume
    | StepOnce
    | SetPace
    | Extend
    | Measure
    | SetMeasuring
    | Keep
    | Share
    | Answer
    | TypeText
    | Stop
)


def supersedes(new: AnyCommand, old: AnyCommand) -> bool:
    """True if `new` makes `old` unnecessary, given that neither has been obeyed yet.

    Commands carry the new value of settings, epochs and pace, not the change in it, so the newest
    command includes all earlier ones. A restart or rewind carries its settings with it.
    """
    match new:
        case Restart() | Rewind():
            return isinstance(old, Change | Restart | Rewind)
        case Pause() | Resume():
            return isinstance(old, Pause | Resume)
        case Stop():
            return True
        case _:
            return type(old) is type(new)


def without_superseded(commands: Iterable[AnyCommand]) -> list[AnyCommand]:
    """The commands that must still be obeyed, in order."""
    kept: list[AnyCommand] = []
    for command in commands:
        kept = [each for each in kept if not supersedes(command, each)]
        kept.append(command)
    return kept
