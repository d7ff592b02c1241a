"""The content of a console: losses of steps, evaluations, and remarks for the user."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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


Event = Reading | HeldOut | Remark
