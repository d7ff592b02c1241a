"""The age of a measured figure: how far training has gone since, and under which other settings.

A figure that is old is shown pale, with its age where there is room. Pure.
"""

import math
from dataclasses import dataclass
from typing import Final

from engine.log.records import State
from gdtui.state.curves import MeasuredFigure
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting

PALE: Final = "$quiet"
_AT_EPOCH_ENDS: Final = (MeasuredFigure.FULL_LOSS, MeasuredFigure.GAP)
"""Figures that are old as soon as an epoch has ended without them."""


@dataclass(frozen=True, slots=True)
class FigureAge:
    """The training since a figure was measured."""

    epochs: float = 0.0
    change: str = ""
    """The settings that have changed since, such as "batch 16→128"; empty: none."""
    is_old: bool = False
    """Measured an epoch or more ago, or under other settings."""

    @property
    def style(self) -> str:
        """The style of the figure."""
        return PALE if self.is_old else ""

    @property
    def words(self) -> str:
        """The age, such as "3 epochs ago" or "before batch 16→128"; empty for a fresh figure."""
        if not self.is_old:
            return ""
        if self.change:
            return f"before {self.change}"
        count = max(round(self.epochs), 1)
        return f"{formatting.count(count)} {'epoch' if count == 1 else 'epochs'} ago"


def age(one: VariantState, figure: MeasuredFigure) -> FigureAge:
    """The age of a figure; that of one that was not measured is none."""
    tally, curves = one.tally, one.current
    if curves is None or (at := curves.latest.get(figure)) is None:
        return FigureAge()
    epochs = (tally.samples - at.samples) / tally.n
    change = formatting.difference(at.settings, tally.settings, tally.n)
    # While it trains, the measurement at an epoch's end comes right behind its last batch.
    least = math.nextafter(1.0, 2.0) if tally.state is State.RUNNING else 1.0
    is_skipped = figure in _AT_EPOCH_ENDS and tally.is_full_loss_old
    return FigureAge(epochs, change, bool(change) or epochs >= least or is_skipped)


def oldest(ages: list[FigureAge]) -> FigureAge:
    """The age of the oldest of some figures, one under other settings before all others."""
    return max(ages, key=lambda each: (bool(each.change), each.epochs), default=FigureAge())
