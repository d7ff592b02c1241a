"""The marks on a chart: changes of settings, rewinds, and the points where forks begin. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from engine.programs import PROGRAM
from gdtui.chart.scene.palette import variant_colour
from gdtui.chart.scene.picture import Mark
from gdtui.state.curves import Curves
from gdtui.state.variant import PLACE, VariantState
from gdtui.view.text import formatting
from gdtui.view.view_state import ViewState

FORKED: Final = "fork"
REWOUND: Final = "rewound"
JOINED: Final = "same training"
"""For a program, whose user said so."""


def own_marks(one: VariantState, now: Curves, view: ViewState) -> list[Mark]:
    """The marks on the chart of all: a fork's from its origin on."""
    at = now.origin.samples if now.origin and now.origin.variant else 0
    return marks_of(one, replace(now, changes=[c for c in now.changes if c.samples >= at]), view)


def marks_of(one: VariantState, now: Curves, view: ViewState) -> list[Mark]:
    """The marks of changed settings, and of the point at which it was rewound or forked."""
    colour = variant_colour(one.hue, view.colours)
    found, origin = [*_change_marks(one, now, view, colour)], now.origin
    if origin is None:
        return found
    at = float((origin.samples, origin.updates, origin.seconds)[PLACE[view.axis]])
    word = FORKED if origin.variant else JOINED if one.tally.device == PROGRAM else REWOUND
    for place, mark in enumerate(found):
        if mark.x == at:
            found[place] = replace(mark, label=f"{word}, {mark.label}")
            return found
    return [*found, Mark(at, colour, word)]


def _change_marks(one: VariantState, now: Curves, view: ViewState, colour: str) -> Iterable[Mark]:
    for change in now.changes:
        if label := formatting.difference(change.before, change.after, one.tally.n):
            at = (change.samples, change.updates, change.seconds)[PLACE[view.axis]]
            yield Mark(float(at), colour, label)
