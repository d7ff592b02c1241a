"""Imported runs: which of their figures were imported, and which nobody knows. Pure.

A CSV need not have every column. Its import makes up what the log's format needs, and the log says
what that was: none of it is shown.
"""

import math
from dataclasses import replace
from typing import Any, Final

from engine.programs import PROGRAM
from gdtui.chart.scene.polyline import Axis
from gdtui.history import BatchInfo
from gdtui.state.store import Store
from gdtui.state.variant import VariantState

IMPORTED: Final = "imported"
"""The device of an imported run: nothing was trained here."""

_OF_SETTINGS: Final = {"batch": "batch_size", "lr": "lr", "accum": "accumulation_steps"}
"""The columns of settings, by the names of settings in a panel."""
_OF_AXES: Final = {Axis.UPDATES: "update", Axis.SECONDS: "seconds"}


def is_imported(one: VariantState) -> bool:
    """True for a variant that came out of a CSV."""
    return one.tally.device == IMPORTED


def is_foreign(one: VariantState) -> bool:
    """True for a variant that was not trained here: out of a CSV, or out of a program's output."""
    return one.tally.device in (IMPORTED, PROGRAM)


def is_known(one: VariantState, *columns: str) -> bool:
    """True if all of these columns were trained here, or stood in the CSV."""
    return not {*columns} & {*one.tally.assumed}


def is_made_up(one: VariantState, setting: str) -> bool:
    """True for a setting, as a panel names it, that an import had to make up."""
    return _OF_SETTINGS.get(setting) in one.tally.assumed


def without(info: BatchInfo, one: VariantState) -> BatchInfo:
    """The batch without what an import made up: NaN stands for it."""
    unknown: dict[str, Any] = {
        name: math.nan for name in one.tally.assumed if name in BatchInfo.__dataclass_fields__
    }
    return replace(info, **unknown) if unknown else info


def axes(store: Store) -> list[Axis]:
    """The x axes that any variant on screen has; samples, at least."""
    return [
        axis
        for axis in Axis
        if axis not in _OF_AXES or any(is_known(one, _OF_AXES[axis]) for one in store.states)
    ]


def counts_samples(store: Store) -> bool:
    """True if the axis of samples has that unit for any variant; else it counts batches."""
    return any(is_known(one, "samples") for one in store.states)


def has_epochs(store: Store) -> bool:
    """True if it is known for any variant which batches an epoch has."""
    return any(is_known(one, "epoch") for one in store.states)
