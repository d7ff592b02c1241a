"""An entry of the glossary: a figure's definition, unit, formula and source."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gdtui.state.variant import VariantState
from gdtui.view.text.formatting import number

OURS: Final = "gdtui's own definition"


@dataclass(frozen=True, slots=True, kw_only=True)
class GlossaryEntry:
    """The entry of one figure."""

    name: str
    labels: tuple[str, ...] = ()
    """Labels of the figure on the screen that differ from its name."""
    unit: str
    definition: str
    formula: str = ""
    source: str = OURS
    value: Callable[[VariantState], str] | None = None
    """The value for one variant; None when it belongs to a batch or to the run."""


def as_number(pick: Callable[[VariantState], float]) -> Callable[[VariantState], str]:
    """A value as the glossary shows it."""
    return lambda one: number(pick(one))


def signal_to_noise(one: VariantState) -> str:
    """The signal-to-noise of an update with its 95% interval."""
    value, (low, high) = one.tally.signal_to_noise, one.tally.signal_to_noise_interval
    return (
        f"{number(value)} ({number(low)}–{number(high)})" if math.isfinite(value) else number(value)
    )
