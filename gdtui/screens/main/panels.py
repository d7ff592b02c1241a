"""Gives each variant on screen a panel, or its line where there are many."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from textual.containers import Horizontal
from textual.screen import Screen

from gdtui.widgets.line import Line
from gdtui.widgets.variant import VariantPanel

if TYPE_CHECKING:  # it imports numpy, for which the first frame does not wait
    from gdtui.state.variant import VariantState

PANELS: Final = 4
"""Maximum number of variants with a panel each; with more, each gets a line."""


def fit_panels(screen: Screen[Any], states: Sequence["VariantState"]) -> list[VariantPanel]:
    """The panels of these variants, in order; adds those missing and hides those left over."""
    is_many = len(states) > PANELS
    screen.set_class(is_many, "-many")
    panels = list(screen.query(VariantPanel))
    wanted = 0 if is_many else len(states)
    for place, panel in enumerate(panels):
        panel.display = place < wanted
    new = [VariantPanel(one.index, one.tally.name) for one in states[len(panels) : wanted]]
    if new:
        screen.query_one("#panels", Horizontal).mount(*new)
    panels = [*panels[:wanted], *new]
    for one, panel in zip(states, panels, strict=False):
        panel.show_hue(one.hue)
    screen.query_one("#lines", Line).refresh(layout=True)
    return panels
