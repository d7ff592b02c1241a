"""The results of a run that has ended, and their meaning: figures and sentences, no widget."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.log.records import State
from engine.settings import LrScaling
from engine.statistics.folding import gap, have_folded
from gdtui.state.overlay.comparability import comparability_note
from gdtui.state.store import Store
from gdtui.state.variant import VariantState
from gdtui.view.text.formatting import clock, count, number, signed


@dataclass(frozen=True, slots=True)
class ResultRow:
    """The results of one variant, as shown."""

    index: int
    name: str
    cells: tuple[str, ...]


_HEAD: Final = ("all data", "last epoch", "std", "variance", "updates", "training")


def headings(store: Store) -> tuple[str, ...]:
    """The names of the cells; figures of validation, if any, replace those of the batch losses."""
    if not store.has_validation:
        return _HEAD
    metric = store.metrics[0][:9] if store.metrics else "std"
    return ("all data", "validation", "gap", metric, *_HEAD[4:])


def rows(store: Store) -> list[ResultRow]:
    """The rows of all variants, in order."""
    return [ResultRow(one.index, one.tally.name, _cells(one, store)) for one in store.states]


def _cells(one: VariantState, store: Store) -> tuple[str, ...]:
    tally = one.tally
    if tally.state is not State.FINISHED:
        state = "no memory" if tally.state is State.OUT_OF_MEMORY else str(tally.state)
        return ("", state, "", "", count(tally.updates), clock(tally.seconds))
    if not store.has_validation:
        learnt = tuple(map(number, (tally.full_loss, tally.final_loss, tally.std, tally.variance)))
    else:
        last = tally.metrics.get(store.metrics[0], math.nan) if store.metrics else tally.std
        gap = signed(tally.generalisation_gap, 7)
        learnt = (number(tally.full_loss), number(tally.validation_loss), gap, number(last))
    return (*learnt, count(tally.updates), f"{number(tally.seconds)} s")


def conclusion(store: Store) -> str:
    """The conclusion from the comparable figures, in a sentence or two."""
    done = [one for one in store.states if one.tally.state is State.FINISHED]
    losses = {
        one.tally.name: one.tally.full_loss for one in done if math.isfinite(one.tally.full_loss)
    }
    if len(losses) < 2:
        return (
            "Compare by the loss on all data: it is measured at fixed weights, the others while "
            "these move."
        )
    if note := comparability_note(store.runs):
        return note
    rules = {one.tally.settings.lr_scaling for one in done}
    best = min(losses, key=lambda name: losses[name])
    found = f"On all data they lie {number(gap(losses.values()))} apart{_after(done)}"
    if have_folded(losses.values()):
        if rules == {LrScaling.LINEAR} and store.varies_batch_alone:
            why = "with the lr scaled with the batch, an epoch does the same work at any batch size"
        else:
            why = "these settings come to the same loss"
        return f"{found}: {why}."
    if rules == {LrScaling.NONE} and store.varies_batch_alone:
        return f"{found}, {best} lowest: at one lr, more updates per epoch get further."
    if rules == {LrScaling.SQRT} and store.varies_batch_alone:
        return f"{found}, {best} lowest: the square-root rule closes part of the gap."
    return f"{found}, {best} lowest."


def _after(done: Sequence[VariantState]) -> str:
    """The epochs of each variant, if these differ."""
    epochs = [one.tally.full_loss_epoch for one in done]
    return f" after {' / '.join(map(str, epochs))} epochs" if len({*epochs}) > 1 else ""
