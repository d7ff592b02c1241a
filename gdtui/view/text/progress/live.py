"""The time that a run on screen will still take, from its pace and its speed. Pure.

Nothing is remembered between two calls, so a change of pace or batch size counts at once.
"""

import math
from typing import Final

from engine.log.records import State
from gdtui.state.store import Store
from gdtui.state.stored.progress import share_done
from gdtui.state.variant import VariantState
from gdtui.view.text.formatting import clock
from gdtui.view.text.progress.time_left import longest

_DAY: Final = 86_400.0
_MANY_DAYS: Final = 2
_STEPS: Final = ((600.0, 60.0), (60.0, 5.0))
"""Seconds left from which they are rounded, and to what: estimates jitter."""


def seconds_left(store: Store) -> float | None:
    """Seconds until the last variant ends; None while nothing trains, or too little is known."""
    going = [one for one in store.states if not one.has_ended]
    if not any(one.tally.state is State.RUNNING for one in going) or store.transition:
        return None
    return longest(map(_seconds, going))


def _seconds(one: VariantState) -> float | None:
    """Seconds until this variant ends, at its pace or, if that is slower, at its speed."""
    tally = one.tally
    epochs = tally.planned_epochs * (1 - share_done(tally))
    if not tally.n or math.isnan(one.speed):
        return None
    by_speed = epochs * tally.n / one.speed if one.speed else math.inf
    by_pace = epochs / tally.pace if tally.pace else 0.0
    left = max(by_speed, by_pace)
    return left if math.isfinite(left) else None


def left_in_words(seconds: float) -> str:
    """The seconds left as they stand in the header, such as "02:15 left"."""
    if seconds >= _MANY_DAYS * _DAY:
        return f"{seconds / _DAY:,.0f} days left"
    return f"{clock(coarse(seconds))} left"


def coarse(seconds: float) -> float:
    """Seconds in steps that suit how many they are."""
    step = next((step for least, step in _STEPS if seconds >= least), 1.0)
    return math.ceil(seconds / step) * step
