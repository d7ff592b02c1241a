"""Visible x and y ranges: the end of the x axis, the extremes of the losses in the window.

Pure functions from store, view and polylines. Keeps neither pictures nor previous ranges.
"""

import math
from collections.abc import Iterable
from typing import Final

import numpy as np

from gdtui.chart.scene.arrays import Floats
from gdtui.chart.scene.axes import grow
from gdtui.chart.scene.polyline import Axis, Polyline
from gdtui.chart.scene.scales.ticks import label
from gdtui.history.storage.kept_points import KeptPoints
from gdtui.state.curves import Curves
from gdtui.state.store import Store
from gdtui.state.variant import PLACE, VariantState
from gdtui.view.ranges.planned import planned_end
from gdtui.view.ranges.usual import PARTS, joined, usual_range
from gdtui.view.text.caveats.imported import counts_samples
from gdtui.view.view_state import ViewState
from gdtui.view.x_range import DataExtent, FollowNewest, WholeRange, XRange

Pair = tuple[float, float]
_TITLES: Final = {
    Axis.SAMPLES: "samples",
    Axis.UPDATES: "updates",
    Axis.SECONDS: "seconds of training, on shared cores",
}
_LEAST: Final = {Axis.SAMPLES: 8.0, Axis.UPDATES: 4.0, Axis.SECONDS: 1e-3}
"""The narrowest window, since nothing finer than a batch can be seen."""


# --- Across ---------------------------------------------------------------------------------------


def end_of(generation: Curves, axis: Axis) -> float:
    """The position after its last batch; 0 before the first."""
    return generation.history.end(axis) if len(generation.history) else 0.0


def data_extent(store: Store, view: ViewState, shown: float | None = None) -> DataExtent:
    """The extent of all variants' data on the x axis; `shown`: that axis's end in the last frame.

    Where the length of the run is known, the axis spans it from the start. The newest data are
    those of the furthest running variant, among the selected if any of them runs.
    """
    found = [
        (one, end_of(one.current, view.axis)) for one in store.states if one.current is not None
    ]
    ghosts = [
        end_of(one.ghost, view.axis) for one in store.states if one.ghost and view.shows_ghost(one)
    ]
    followed = [pair for pair in found if view.selected in (None, pair[0].index)] or found
    ends = [end for one, end in followed if not one.has_ended] or [end for _, end in followed]
    end = max([*(end for _, end in found), *ghosts], default=0.0)
    planned = planned_end(store, view.axis)
    end = planned if planned >= end else grow(shown, end)
    return DataExtent(end, tail=max(ends, default=0.0), least=_LEAST[view.axis])


def x_title(store: Store, view: ViewState, seen: XRange, extent: DataExtent) -> str:
    """The unit and, unless everything is in view, the visible part, to mislead no reader."""
    title = _TITLES[view.axis]
    if view.axis is Axis.SAMPLES and not counts_samples(store):
        title = "batches"
    if isinstance(view.window, WholeRange):
        return title
    low, high, end = (
        _bound(value, seen.width / 100) for value in (seen.low, seen.high, extent.end)
    )
    follows = " · follows" if isinstance(view.window, FollowNewest) else ""
    return f"{title} {low}–{high} of {end}{follows}"


def _bound(value: float, step: float) -> str:
    text = label(value, step)
    return f"{int(text):,}" if text.isdecimal() else text


# --- Up and down ----------------------------------------------------------------------------------


def extremes(
    lines: Iterable[Polyline], points: Iterable[Polyline], seen: XRange, log: bool
) -> tuple[float | None, float | None]:
    """Lowest and highest of lines and single points in the window; None, None if there are none."""
    found = [_range(line, seen, log) for line in lines]
    return _joint([*found, *(_range(each, seen, log, joined=False) for each in points)])


def loss_range(store: Store, view: ViewState, seen: XRange) -> tuple[float | None, float | None]:
    """The range that the losses of all variants on screen usually have in the window.

    Those of variants that have diverged do not count, unless all have.
    """
    shown = [one for one in store.states if not one.has_run_away] or store.states
    return joined([usual_of(one, view, seen, draws_batches=view.raw) for one in shown])


def usual_of(
    one: VariantState, view: ViewState, seen: XRange, *, draws_batches: bool = True
) -> Pair | None:
    """The range that one variant's losses usually have in the window, its ghost's included."""
    window = view.axis, seen.low, seen.high, PARTS
    raw: list[Polyline] = []
    lines: list[Polyline] = []
    points: list[Polyline] = []
    for each in (one.current, one.ghost if view.shows_ghost(one) else None):
        if each is None:
            continue
        lines.append(each.history.smoothed(*window, view.smoothing))
        if each is one.current:
            raw.append(each.history.polyline(*window))
            lines.append(each.history.band(view.axis, seen.low, seen.high, PARTS // 2))
            points = [_single(each.evaluations, view), _single(each.validations, view)]
    return usual_range(raw, lines, seen, log=view.log, points=points, draws_batches=draws_batches)


def _single(points: KeptPoints, view: ViewState) -> Polyline:
    rows = points.values
    return Polyline(rows[:, PLACE[view.axis]], rows[:, 3], rows[:, 3])


def _joint(pairs: Iterable[Pair | None]) -> tuple[float | None, float | None]:
    found = [pair for pair in pairs if pair is not None]
    if not found:
        return None, None
    return min(low for low, _ in found), max(high for _, high in found)


def _range(polyline: Polyline, seen: XRange, log: bool, *, joined: bool = True) -> Pair | None:
    """Lowest and highest in the window, including those of a line that crosses its edges."""
    inside = (polyline.x >= seen.low) & (polyline.x <= seen.high)
    values = [polyline.low[inside], polyline.high[inside]]
    if joined and not inside.all():
        edges = np.array([seen.low, seen.high])
        edges = edges[(edges > polyline.x[0]) & (edges < polyline.x[-1])]
        values += [_between(edges, polyline.x, ends, log) for ends in (polyline.low, polyline.high)]
    every = np.concatenate(values)
    every = every[np.isfinite(every) & ((every > 0) | (not log))]
    return (float(every.min()), float(every.max())) if every.size else None


def _between(at: Floats, x: Floats, values: Floats, log: bool) -> Floats:
    """The values of the straight line through these points, at these positions."""
    if not log:
        return np.interp(at, x, values)
    with np.errstate(divide="ignore", invalid="ignore"):  # what is not above 0 has no place
        return np.exp(np.interp(at, x, np.log(values)))


def positive(polyline: Polyline, log: bool) -> Polyline:
    """The line as a log axis shows it, with gaps where nothing is above 0.

    A column that reaches from above 0 to 0 or below stays, and is drawn to the axis's end.
    """
    if not log or polyline.is_empty or polyline.high.min() > 0:
        return polyline
    bad = polyline.high <= 0
    return Polyline(
        polyline.x, np.where(bad, math.nan, polyline.low), np.where(bad, math.nan, polyline.high)
    )
