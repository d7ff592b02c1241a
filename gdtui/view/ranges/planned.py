"""The planned end of a run on the x axis, known before its first batch. Pure.

Unknown are seconds, and everything about imported runs. A run that was continued, or that ended
before its plan did, shows the epochs so far instead.
"""

import math
from collections.abc import Iterable

from engine.settings import SettingsError
from gdtui.chart.scene.polyline import Axis
from gdtui.state.store import Store
from gdtui.state.variant import VariantState
from gdtui.view.text.caveats.imported import has_epochs


def planned_end(store: Store, axis: Axis) -> float:
    """The end of the longest plan of all variants; 0 if it is unknown."""
    if axis is Axis.SECONDS or not has_epochs(store) or _ended_early(store.states):
        return 0.0
    largest = max((one.tally.n for one in store.states), default=0)
    ends = (_end(store, one, axis, one.tally.n or largest) for one in store.states)
    return max(ends, default=0.0)


def _ended_early(states: Iterable[VariantState]) -> bool:
    return all(one.has_ended and one.tally.samples < _planned(one) for one in states)


def _planned(one: VariantState) -> int:
    return one.tally.n * one.tally.planned_epochs


def _end(store: Store, one: VariantState, axis: Axis, n: int) -> float:
    epochs = one.tally.planned_epochs
    if not n or epochs > store.run_settings(one).epochs:
        return 0.0
    if axis is Axis.SAMPLES:
        return float(epochs * n)
    try:
        resolved = one.tally.settings.resolve(n)
    except (SettingsError, OverflowError):  # of another variant's data, or out of a stranger's file
        return 0.0
    batches = n / resolved.batch_size
    batches = math.floor(batches) if one.tally.settings.drop_last else math.ceil(batches)
    updates = math.ceil(batches / resolved.accumulation_steps)
    changes = one.current.changes if one.current else []
    if not changes:
        return float(epochs * updates)
    last = changes[-1]
    return last.updates + max(epochs * n - last.samples, 0) / n * updates
