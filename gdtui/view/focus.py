"""The chart of one variant over the whole screen: every batch, the smoothed line, its ghost. Pure.

It has a separate y scale; for comparison with other variants there is the chart of its panel.
"""

from dataclasses import replace

from gdtui.chart.scene.axes import settle, x_scale, y_scale
from gdtui.chart.scene.palette import FAINT, INK
from gdtui.chart.scene.picture import Picture, Series
from gdtui.chart.scene.polyline import EMPTY
from gdtui.state.curves import Curves
from gdtui.state.store import Store
from gdtui.state.variant import VariantState
from gdtui.view import epoch_lines
from gdtui.view.charts.marks import marks_of
from gdtui.view.charts.words import activity, points_told, smoothing_told, wrapped
from gdtui.view.data_extent import data_extent, usual_of, x_title
from gdtui.view.pictures import (
    AxisRanges,
    ChartSize,
    carried_over,
    ghost_of,
    line_of,
)
from gdtui.view.ranges.beyond import with_counts
from gdtui.view.ranges.usual import joined
from gdtui.view.text.caveats.label import label
from gdtui.view.view_state import ViewState
from gdtui.view.x_range import XRange, visible_range


def focused(
    store: Store, one: VariantState, view: ViewState, canvas: ChartSize, shown: AxisRanges
) -> tuple[Picture, AxisRanges]:
    """The picture of one variant alone, and the ranges of its axes."""
    shown = carried_over(
        shown, (one.index, one.tally.generation, view.axis, view.log, view.cleared, view.window)
    )
    now = one.current
    extent = data_extent(store, view, shown.x)
    seen = visible_range(view.window, extent)
    series = _series(one, now, view, seen, canvas) if now else ()
    y = settle(shown.y, *joined([usual_of(one, view, seen)]), view.log)
    picture = Picture(
        x=x_scale(seen.high, canvas.columns, x_title(store, view, seen, extent), seen.low),
        y=y_scale(y, canvas.rows, log=view.log),
        series=series,
        marks=tuple(marks_of(one, now, view)) if now else (),
        rules=epoch_lines.of_one(store, now, view.axis, seen, canvas.columns) if now else (),
        title=_title(store, one, view),
        message="" if now and len(now.history) else wrapped(activity(one), canvas.columns),
    )
    picture = with_counts(picture, [now.history] if now else [], view, [now] if now else [])
    return picture, AxisRanges(shown.of, extent.end, y)


def _series(
    one: VariantState, now: Curves, view: ViewState, seen: XRange, canvas: ChartSize
) -> tuple[Series, ...]:
    """The ghost, every batch, and on top the smoothed line in the colour of text."""
    as_raw = replace(view, raw=True)
    raw = line_of(one, now, as_raw, seen, canvas, is_whole=True)
    ghosts = (
        (ghost_of(one, one.ghost, as_raw, seen, canvas),)
        if one.ghost and view.shows_ghost(one)
        else ()
    )
    if view.raw:
        return (*ghosts, raw)
    smooth = line_of(one, now, replace(view, raw=False), seen, canvas, is_whole=True)
    line = Series(
        "smoothed", view.ink, line=smooth.line, points=smooth.points, validation=smooth.validation
    )
    band = (
        FAINT if raw.colour == INK else raw.colour
    )  # without colours the line needs a paler background
    return (*ghosts, replace(raw, colour=band, points=EMPTY, validation=EMPTY), line)


def _title(store: Store, one: VariantState, view: ViewState) -> str:
    parts = [f"{one.index + 1} {label(one)}", "every batch"]
    if (steps := one.tally.settings.accumulation_steps) > 1:
        parts[1] += f", {steps} per update"
    if not view.raw:
        parts.append(smoothing_told(store, view))
    return " · ".join([*parts, points_told(store)])
