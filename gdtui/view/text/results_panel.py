"""The results of a run that has ended, and their meaning: figures and sentences, no widget."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.log.records import State
from engine.settings import LrScaling
from engine.statistics.folding import distance, have_folded
from gdtui.state.overlay.comparability import comparability_note
from gdtui.state.store import Store
from gdtui.state.variant import VariantState
from gdtui.view.text.caveats.claims import contradiction, most_updates_lead
from gdtui.view.text.caveats.imported import is_known
from gdtui.view.text.caveats.label import label
from gdtui.view.text.formatting import clock, count, number, signed


@dataclass(frozen=True, slots=True)
class ResultRow:
    """The results of one variant, as shown."""

    index: int
    hue: int
    """The place of the variant's colour in the palette."""
    name: str
    settings: tuple[str, ...]
    """The cells of SETTINGS."""
    cells: tuple[str, ...]
    """The cells of the headings."""


SETTINGS: Final = ("batch", "lr")
"""The names of further cells, for tables that are wide enough: the settings at the end."""
_COST: Final = ("updates", "training")


def headings(store: Store) -> tuple[str, ...]:
    """The names of the cells: with validation, the metric stands for the last epoch's loss."""
    if not store.has_validation:
        return ("all data", "noise σ", "last epoch", *_COST)
    metric = (store.metrics[0][:8],) if store.metrics else ()
    return ("all data", "noise σ", "validation", "gap", *metric, *_COST)


def rows(store: Store) -> list[ResultRow]:
    """The rows of all variants, in order."""
    return [
        ResultRow(one.index, one.hue, label(one), _settings(one), _cells(one, store))
        for one in store.states
    ]


def _settings(one: VariantState) -> tuple[str, ...]:
    force = one.tally.resolved
    if force is None:
        return ("–",) * len(SETTINGS)
    steps = f"×{force.accumulation_steps}" if force.accumulation_steps > 1 else ""
    batch = "full" if force.is_full else f"{count(force.batch_size)}{steps}"
    return (
        batch if is_known(one, "batch_size", "accumulation_steps") else "–",
        number(force.lr) if is_known(one, "lr") else "–",
    )


def _cells(one: VariantState, store: Store) -> tuple[str, ...]:
    tally = one.tally
    count_of_learnt = len(headings(store)) - len(_COST)
    if tally.state is not State.FINISHED:
        state = "no memory" if tally.state is State.OUT_OF_MEMORY else str(tally.state)
        blank = ("",) * (count_of_learnt - 1)
        return (state, *blank, count(tally.updates), clock(tally.seconds))
    learnt = [number(tally.full_loss), number(one.spread)]
    if not store.has_validation:
        learnt.append(number(tally.final_loss))
    else:
        learnt += [number(tally.validation_loss), signed(tally.generalisation_gap, 7)]
        learnt += [number(tally.metrics.get(name, math.nan)) for name in store.metrics[:1]]
    return (*learnt, count(tally.updates), f"{number(tally.seconds)} s")


def conclusion(store: Store) -> str:
    """The conclusion from the comparable figures, in a sentence or two."""
    done = [one for one in store.states if one.tally.state is State.FINISHED]
    if away := [one for one in done if one.verdict]:
        ends = ", ".join(f"{label(one)} ({one.verdict})" for one in away)
        return f"Not all ended below their start: {ends}. Lower the lr of those."
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
    found = f"Their losses on all data lie {number(distance(losses.values()))} apart{_after(done)}"
    if have_folded(losses.values()):
        if rules == {LrScaling.LINEAR} and store.varies_batch_alone:
            why = "with the lr scaled with the batch, an epoch does the same work at any batch size"
        else:
            why = "these settings come to the same loss"
        return f"{found}: {why}."
    if rules == {LrScaling.NONE} and store.varies_batch_alone:
        if most_updates_lead(done):
            return f"{found}, {best} lowest: at one lr, more updates per epoch bring more progress."
        said = contradiction(done)
        lesson = f" At one lr, more updates per epoch bring more progress. {said}" if said else ""
        return f"{found}, {best} lowest.{lesson}"
    if rules == {LrScaling.SQRT} and store.varies_batch_alone and most_updates_lead(done):
        return f"{found}, {best} lowest: the square-root rule closes part of the gap."
    return f"{found}, {best} lowest."


def _after(done: Sequence[VariantState]) -> str:
    """The epochs of each variant, if these differ."""
    epochs = [one.tally.full_loss_epoch for one in done]
    return f" after {' / '.join(map(str, epochs))} epochs" if len({*epochs}) > 1 else ""
