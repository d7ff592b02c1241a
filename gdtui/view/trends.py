"""Sharpness and noise scale over training: two pictures, each with its reference line. Pure.

Sharpness is drawn against 2 (1 + momentum) ÷ lr, the edge of stability (Cohen et al. 2021,
arXiv:2103.00065), if the optimiser has one; the noise scale against the effective batch (McCandlish
et al. 2018, arXiv:1812.06162). Both axes are logarithmic, since the values are orders of magnitude
apart and their ratio is what matters.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine.log.measurements import edge_factor
from gdtui.chart.scene.arrays import Floats
from gdtui.chart.scene.axes import settle, x_scale, y_scale
from gdtui.chart.scene.palette import variant_colour
from gdtui.chart.scene.picture import Picture, Series
from gdtui.chart.scene.polyline import Polyline
from gdtui.state.curves import Curves
from gdtui.state.measurements import HIGH, IS_RELIABLE, LOW, SHARPNESS, SMOOTHED, VALUE
from gdtui.state.store import Store
from gdtui.state.variant import PLACE, VariantState
from gdtui.view import epoch_lines, in_force
from gdtui.view.charts.marks import marks_of
from gdtui.view.data_extent import data_extent, extremes, positive, x_title
from gdtui.view.pictures import AxisRanges, ChartSize, carried_over
from gdtui.view.text import formatting
from gdtui.view.text.caveats.imported import is_known
from gdtui.view.text.caveats.label import label
from gdtui.view.view_state import ViewState
from gdtui.view.x_range import visible_range

_ANY_EDGE: Final = "2(1+β)/lr"
"""The edge of stability, if momentum β differs between variants or over time."""


@dataclass(frozen=True, slots=True)
class TrendTitles:
    """The words on a picture."""

    name: str
    """The name of the figure."""
    marks: str
    """The meaning of what is drawn of it."""
    bound: str
    """The meaning of the faint lines, where the title tells it."""
    faint: str
    """The legend of the faint lines."""
    message: str
    """The way to something to draw, while nothing was measured."""

    def title(self, *, has_message: bool) -> str:
        """The title of the chart; over the bound alone it tells how to get a measurement."""
        return f"{self.name} · {self.message if has_message else self.marks}{self.bound}"


def sharpness(
    store: Store, view: ViewState, canvas: ChartSize, shown: AxisRanges, message: str
) -> tuple[Picture, AxisRanges]:
    """The sharpness of every variant, a point per measurement, and its bound as it was in force."""
    series: list[Series] = []
    names: set[str] = set()
    for one, now in _current(store):
        rows = now.measured.sharpness.values.copy()
        found = _trace(rows, view, SHARPNESS)
        bounds = _bounds(one, now)
        if bounds and not (line := in_force.edges(one, now, view)).is_empty:
            names |= bounds
            series.append(_faint(one, view, line))
        series.append(replace(_vivid(one, view), line=found, points=found))
    name = next(iter(names)) if len(names) == 1 else _ANY_EDGE
    bound = f" · faint: {name}, the edge of stability" if names else ""
    words = TrendTitles("curvature λ", "◆ measured", bound, name, message)
    return _picture(store, view, canvas, shown, series, words)


def noise(
    store: Store, view: ViewState, canvas: ChartSize, shown: AxisRanges, message: str
) -> tuple[Picture, AxisRanges]:
    """Each variant's smoothed noise scale over the single ones, and the effective batch then."""
    series: list[Series] = []
    for one, now in _current(store):
        rows = now.measured.noise.values.copy()
        is_reliable = rows[:, IS_RELIABLE] > 0
        vivid = replace(
            _vivid(one, view),
            line=_trace(rows, view, SMOOTHED),
            points=_trace(rows[is_reliable], view, VALUE),
            validation=_trace(rows[~is_reliable & np.isfinite(rows[:, VALUE])], view, VALUE),
            bars=_bars(rows[is_reliable], view),
        )
        batch = in_force.effective_batches(one, now, view)
        series += [vivid] if batch.is_empty else [_faint(one, view, batch), vivid]
    marks = "smoothed · ◆ measured, with 95% interval · ◇ not reliable"
    words = TrendTitles("noise scale B", marks, "", "effective batch", message)
    return _picture(store, view, canvas, shown, series, words)


def lr(
    store: Store, view: ViewState, canvas: ChartSize, shown: AxisRanges, message: str
) -> tuple[Picture, AxisRanges]:
    """Each variant's lr as it was in force, update by update; on the loss's kind of scale."""
    shown = carried_over(shown, (view.axis, view.window, view.log))
    seen = visible_range(view.window, data_extent(store, view, shown.x))
    series = []
    for one, now in _current(store):
        if not is_known(one, "lr"):
            continue
        line = now.history.lrs(view.axis, seen.low, seen.high, canvas.dots)
        series.append(replace(_vivid(one, view), line=positive(line, view.log)))
    words = TrendTitles("learning rate", "in force", "", "", "no update yet")
    return _picture(store, view, canvas, shown, series, words, log=view.log)


# --- Lines ----------------------------------------------------------------------------------------


def _current(store: Store) -> Iterable[tuple[VariantState, Curves]]:
    return ((one, one.current) for one in store.states if one.current is not None)


def _bounds(one: VariantState, now: Curves) -> set[str]:
    """The names of the edge of stability under the settings in force so far."""
    ever = [change.before for change in now.changes] + [one.tally.settings]
    return {
        formatting.edge_name(factor)
        for settings in ever
        if (factor := edge_factor(settings)) is not None
    }


def _trace(rows: Floats, view: ViewState, column: int) -> Polyline:
    return positive(Polyline(rows[:, PLACE[view.axis]], rows[:, column], rows[:, column]), log=True)


def _bars(rows: Floats, view: ViewState) -> Polyline:
    """The intervals, with a gap between any two, since nothing was measured in between."""
    x, low, high = (np.repeat(rows[:, column], 2) for column in (PLACE[view.axis], LOW, HIGH))
    low[1::2] = high[1::2] = np.nan
    return positive(Polyline(x, low, high), log=True)


def _faint(one: VariantState, view: ViewState, line: Polyline) -> Series:
    return Series(
        f"{one.tally.name}, bound",
        variant_colour(one.hue, view.colours),
        line=line,
        faint=True,
        number=view.number(one),
    )


def _vivid(one: VariantState, view: ViewState) -> Series:
    return Series(label(one), variant_colour(one.hue, view.colours), number=view.number(one))


# --- The picture ----------------------------------------------------------------------------------


def _picture(
    store: Store,
    view: ViewState,
    canvas: ChartSize,
    shown: AxisRanges,
    series: list[Series],
    words: TrendTitles,
    *,
    log: bool = True,
) -> tuple[Picture, AxisRanges]:
    shown = carried_over(shown, (view.axis, view.window, log))
    extent = data_extent(store, view, shown.x)
    seen = visible_range(view.window, extent)
    # Unreliable values and intervals may be anywhere, so they do not set the scale.
    found = extremes(
        [each.line for each in series], [each.points for each in series], seen, log=log
    )
    y = settle(shown.y, *found, log=log)
    is_measured = any(
        not each.faint and not (each.line.is_empty and each.validation.is_empty) for each in series
    )
    has_data = is_measured or any(not each.line.is_empty for each in series)
    picture = Picture(
        x=x_scale(seen.high, canvas.columns, x_title(store, view, seen, extent), seen.low),
        y=y_scale(y, canvas.rows, log=log),
        series=tuple(series),
        marks=tuple(mark for one, now in _current(store) for mark in marks_of(one, now, view)),
        rules=epoch_lines.of_all(store, view.axis, seen, canvas.columns),
        title=words.title(has_message=has_data and not is_measured),
        message="" if has_data else words.message,
        faint=words.faint,
    )
    return picture, AxisRanges(shown.of, extent.end, y)
