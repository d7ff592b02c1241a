"""The crosshair's readout on the trends: each variant's measurement nearest to it, in columns.

Pure functions from a variant and a position to styled text of a given width.
"""

import math
from collections.abc import Iterable
from typing import Final

import numpy as np

from engine.log.measurements import edge_factor, edge_of_stability
from gdtui.chart.scene.arrays import Floats
from gdtui.chart.scene.polyline import Axis
from gdtui.history import BatchInfo
from gdtui.state.curves import Curves
from gdtui.state.measurements import HIGH, LOW, SHARPNESS, VALUE
from gdtui.state.store import Store
from gdtui.state.variant import PLACE, VariantState
from gdtui.view.text import formatting, screen_text
from gdtui.view.text.caveats.imported import is_known
from gdtui.view.text.formatting import number
from gdtui.view.text.styled import StyledText, lines

_LABEL: Final = "$foreground 60%"
_AT: Final = "measured at"


def readout(store: Store, axis: Axis, cursor: float, width: int, rows: int) -> StyledText:
    """A row for each variant, `rows` at most; the last one counts those without a row."""
    shown = store.states if len(store.states) <= rows else store.states[: max(rows - 1, 0)]
    told = [_row(one, store, axis, cursor, width) for one in shown]
    if left := len(store.states) - len(shown):
        told.append(StyledText.of(f"… and {left} more", _LABEL))
    return lines(told)


def _row(one: VariantState, store: Store, axis: Axis, cursor: float, width: int) -> StyledText:
    name = screen_text.name(one, store, screen_text.name_cells(store, width), selected=False)
    if (now := one.current) is None:
        return (name + StyledText.of(" nothing here", _LABEL)).truncate(width)
    sharpness = _nearest(now.measured.sharpness.values, axis, cursor)
    noise = _nearest(now.measured.noise.values, axis, cursor)
    index = now.history.find(axis, cursor)
    batch = None if index is None else now.history.at(index)
    cells = [
        (f"λ {_value(sharpness, SHARPNESS):<8}", "bold"),
        (f"{_edge(one, now, batch):<13}", _LABEL),
        (f"B {_interval(noise):<18}", "bold"),
        (f"{_batch(one, batch):<14}", _LABEL),
        (f"{_lr(one, batch):<11}", _LABEL),
        (_places([sharpness, noise], axis), _LABEL),
    ]
    return (name + StyledText.of(" ") + screen_text.join_parts(cells, "  ")).truncate(width)


def _nearest(rows: Floats, axis: Axis, cursor: float) -> Floats | None:
    """The row of the measurement nearest to a position; None without any."""
    if not len(rows):
        return None
    row: Floats = rows[np.abs(rows[:, PLACE[axis]] - cursor).argmin()]
    return row


def _value(row: Floats | None, column: int) -> str:
    return "–" if row is None else number(float(row[column]))


def _interval(row: Floats | None) -> str:
    if row is None:
        return "–"
    if math.isnan(row[VALUE]):
        return "not finite"
    high = "∞" if math.isinf(row[HIGH]) else number(float(row[HIGH]), 2)
    return f"{number(float(row[VALUE]))} ({number(float(row[LOW]), 2)}–{high})"


def _edge(one: VariantState, now: Curves, batch: BatchInfo | None) -> str:
    """The edge of stability by the lr of the batch there."""
    if batch is None or not is_known(one, "lr"):
        return ""
    then = now.settings_at(batch.samples, one.tally.settings)
    edge = edge_of_stability(batch.lr, then)
    return "" if edge is None else f"{formatting.edge_name(edge_factor(then) or 0)} {number(edge)}"


def _lr(one: VariantState, batch: BatchInfo | None) -> str:
    """The lr in force there."""
    return "" if batch is None or not is_known(one, "lr") else f"lr {formatting.rounded(batch.lr)}"


def _batch(one: VariantState, batch: BatchInfo | None) -> str:
    """The effective batch there."""
    if batch is None or not is_known(one, "batch_size", "accumulation_steps"):
        return ""
    size = min(batch.batch_size * batch.accumulation_steps, one.tally.n)
    return f"batch {formatting.count(size)}"


def _places(rows: Iterable[Floats | None], axis: Axis) -> str:
    """The places of the measurements; one where both were made at the same."""
    places = (row[PLACE[axis]] for row in rows if row is not None)
    told = dict.fromkeys(_place(float(place), axis) for place in places)
    return f"{_AT} {' / '.join(told)} {axis}" if told else "not measured"


def _place(place: float, axis: Axis) -> str:
    return number(place) if axis is Axis.SECONDS else formatting.count(place)
