"""The marks on a chart: changes of settings, rewinds, and the points where forks begin. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from engine.log.records import Origin
from engine.log.records.worker import SCRIPT
from engine.programs import PROGRAM
from gdtui.chart.scene.palette import variant_colour
from gdtui.chart.scene.picture import Mark
from gdtui.state.curves import Curves
from gdtui.state.variant import PLACE, VariantState
from gdtui.view.text import formatting
from gdtui.view.view_state import ViewState

FORKED: Final = "fork"
REWOUND: Final = "rewound"
RESUMED: Final = "resumed"
"""For a script that went on after a checkpoint."""
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
    word = _word(one, origin)
    for place, mark in enumerate(found):
        if mark.x == at:
            found[place] = replace(mark, label=f"{word}, {mark.label}")
            return found
    return [*found, Mark(at, colour, word)]


def _word(one: VariantState, origin: Origin) -> str:
    if origin.variant:
        return FORKED
    if one.tally.device == PROGRAM:
        return JOINED
    return RESUMED if one.tally.model == SCRIPT else REWOUND


def _change_marks(one: VariantState, now: Curves, view: ViewState, colour: str) -> Iterable[Mark]:
    for change in now.changes:
        if label := formatting.difference(change.before, change.after, one.tally.n):
            at = (change.samples, change.updates, change.seconds)[PLACE[view.axis]]
            yield Mark(float(at), colour, label)
