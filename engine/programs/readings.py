"""The content of a console: losses of steps, evaluations, and remarks for the user."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from engine.programs.steps.places import Place
from engine.programs.text.printed import Form


@dataclass(frozen=True, slots=True)
class Reading:
    """A loss of a training step, and what was printed with it."""

    place: Place
    loss: float
    lr: float | None = None
    scalars: Mapping[str, float] = field(default_factory=dict)
    """Other numbers by their names as printed."""
    has_step: bool = True
    """False if no step is printed: then the readings are counted."""
    form: Form = Form.PAIRS


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A loss on held-out data, at the step of the last reading."""

    place: Place | None
    """None before the first reading."""
    loss: float
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence for the user: how the output is read, or what changed its meaning."""

    text: str


class Choice(StrEnum):
    """The possible answers to a question about what changed its meaning."""

    ANOTHER = "another"
    """It is another training, with a curve of its own; assumed until there is an answer."""
    SAME = "same"
    """It is the same training, and the curve goes on."""
    IGNORE = "ignore"
    """It is not to be read; the loss is read where it was before."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the user about what changed its meaning."""

    number: int
    text: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a question, or why there is none."""

    number: int
    text: str
    choice: Choice


@dataclass(frozen=True, slots=True)
class Rejoined:
    """A training goes on which had been taken for another one: its events since then again."""

    origin: Place
    """The place after which it goes on."""
    generation: int
    events: "tuple[Reading | HeldOut, ...]"


Event = Reading | HeldOut | Remark | Question | Answered | Rejoined
