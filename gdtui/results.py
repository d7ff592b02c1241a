"""What a run that has ended came to, and what that means: figures and sentences, no widget."""

import math
from dataclasses import dataclass
from typing import Final

from engine.messages import State
from engine.settings import LrScaling
from gdtui.store import Store
from gdtui.variant import VariantState
from gdtui.wording import clock, count, number

FOLDED: Final = 0.01
"""Losses on all data that lie no further apart are called the same."""


@dataclass(frozen=True, slots=True)
class Row:
    """One variant's results, as shown."""

    index: int
    name: str
    cells: tuple[str, ...]


_HEAD: Final = ("all data", "last epoch", "std", "variance", "updates", "training")


def head(store: Store) -> tuple[str, ...]:
    """The names of the cells: with held-out data, what it says in place of what training says of itself."""
    if not (metric := _metric(store)) and not _has_validation(store):
        return _HEAD
    return ("all data", "held-out", "gap", metric[:9] or "std", *_HEAD[4:])


def _metric(store: Store) -> str:
    """The problem's first metric."""
    return next((name for one in store.states for name in one.tally.metrics), "")


def _has_validation(store: Store) -> bool:
    return any(one.tally.validations for one in store.states)


def rows(store: Store) -> list[Row]:
    """One a variant, in order."""
    is_validated, metric = _has_validation(store), _metric(store)
    return [Row(one.index, one.tally.name, _cells(one, metric, is_validated)) for one in store.states]


def _cells(one: VariantState, metric: str, is_validated: bool) -> tuple[str, ...]:
    tally = one.tally
    if tally.state is not State.FINISHED:
        state = "no memory" if tally.state is State.OUT_OF_MEMORY else str(tally.state)
        return ("", state, "", "", count(tally.updates), clock(tally.seconds))
    figures = (tally.full_loss, tally.final_loss, tally.std, tally.variance)
    if is_validated:
        last = tally.metrics.get(metric, math.nan) if metric else tally.std
        figures = (tally.full_loss, tally.validation_loss, tally.generalisation_gap, last)
    return (*map(number, figures), count(tally.updates), f"{number(tally.seconds)} s")


def meaning(store: Store) -> str:
    """What the comparable figures say, in a sentence or two."""
    done = [one for one in store.states if one.tally.state is State.FINISHED]
    losses = {one.tally.name: one.tally.full_loss for one in done if math.isfinite(one.tally.full_loss)}
    if len(losses) < 2:
        return "Compare the loss on all data: it is measured at fixed weights, the others while these move."
    gap = max(losses.values()) - min(losses.values())
    rules = {one.tally.settings.lr_scaling for one in done}
    best = min(losses, key=lambda name: losses[name])
    found = f"On all data they lie {number(gap)} apart"
    if gap <= FOLDED:
        why = "with the lr in step with the batch, an epoch does the same work at any batch size"
        return f"{found}: {why if rules == {LrScaling.LINEAR} else 'these settings come to the same loss'}."
    if rules == {LrScaling.NONE}:
        return f"{found}, {best} lowest: at one lr, more updates an epoch get further. S scales the lr."
    if rules == {LrScaling.SQRT}:
        return f"{found}, {best} lowest: the square-root rule closes a part of the gap."
    return f"{found}, {best} lowest."
