"""The pictures of the charts: pure functions from store and view options.

Stateless: the ranges on screen are passed in and returned, so that axes do not jitter.
"""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from engine.log.records import State
from gdtui.chart.scene.axes import settle, x_scale, y_scale
from gdtui.chart.scene.palette import variant_colour
from gdtui.chart.scene.picture import Mark, Picture, Series
from gdtui.chart.scene.polyline import EMPTY, Axis, Polyline
from gdtui.chart.scene.scales.limits import Range
from gdtui.chart.scene.shortening import shortened
from gdtui.chart.scene.thinning import dozen
from gdtui.history.storage.kept_points import KeptPoints
from gdtui.state.curves import Curves
from gdtui.state.store import Store
from gdtui.state.variant import PLACE, VariantState
from gdtui.view import epoch_lines
from gdtui.view.data_extent import data_extent, loss_range, positive, x_title
from gdtui.view.ranges.beyond import with_counts
from gdtui.view.ranges.mean_age import line_at_mean_age
from gdtui.view.ranges.usual import strays
from gdtui.view.text import formatting
from gdtui.view.text.caveats.imported import has_epochs
from gdtui.view.text.caveats.label import label
from gdtui.view.text.gap import gap_of
from gdtui.view.view_state import ViewState
from gdtui.view.x_range import DataExtent, XRange, visible_range

_ROOMY: Final = 100
"""Columns of a chart whose lines end with the names of their variants."""
_SHORT_NAME: Final = 16
_ANY: Final = (0.0, 1.0)
_IMPORTING: Final = "importing torch…"


@dataclass(frozen=True, slots=True)
class ChartSize:
    """The size of a chart: columns of dots, columns and rows of cells."""

    dots: int
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class AxisRanges:
    """Axis ranges of a chart's last frame, and the data they are for; other data start afresh."""

    of: object = None
    x: float | None = None
    y: Range | None = None
    extent: DataExtent | None = None
    """The extent from which they follow, if they are those of the present frame."""


def axis_ranges(store: Store, view: ViewState, shown: AxisRanges) -> AxisRanges:
    """The ranges of this frame, common to all charts that show the losses of several variants."""
    shown = carried_over(
        shown, (view.axis, view.log, view.smoothing, view.raw, view.cleared, view.window)
    )
    extent = data_extent(store, view, shown.x)
    seen = visible_range(view.window, extent)
    y = settle(shown.y, *loss_range(store, view, seen), view.log)
    return AxisRanges(shown.of, extent.end, y, extent)


def overlay(
    store: Store, view: ViewState, canvas: ChartSize, shown: AxisRanges
) -> tuple[Picture, AxisRanges]:
    """All variants on one chart: smoothed lines over bands, full losses, changes, ghosts."""
    shown, extent = _current(store, view, shown)
    pairs = [(one, one.current) for one in store.states if one.current is not None]
    ghosts = [
        (one, one.ghost) for one in store.states if one.ghost is not None and view.shows_ghost(one)
    ]
    seen = visible_range(view.window, extent)
    found = gap_of(store, with_ghosts=bool(ghosts))
    series = [ghost_of(one, each, view, seen, canvas) for one, each in ghosts]
    series += [line_of(one, each, view, seen, canvas) for one, each in pairs]
    picture = Picture(
        x=x_scale(seen.high, canvas.columns, x_title(store, view, seen, extent), seen.low),
        y=y_scale(shown.y or _ANY, canvas.rows, log=view.log),
        series=tuple(series),
        marks=tuple(mark for one, each in pairs for mark in marks_of(one, each, view)),
        rules=epoch_lines.of_all(store, view.axis, seen, canvas.columns),
        title=_title(store, view, found.text, canvas.columns),
        headline=found.text,
        is_good_news=found.has_folded,
        message="" if _has_data(series) else wrapped(activity(store.states[0]), canvas.columns),
    )
    curves = [each for _, each in pairs]
    picture = with_counts(picture, [each.history for each in curves], view, curves)
    return picture, replace(shown, extent=None)


def panel(
    store: Store, one: VariantState, view: ViewState, canvas: ChartSize, shown: AxisRanges
) -> tuple[Picture, AxisRanges]:
    """One variant's raw loss, batch by batch, on the axes of all, so that spreads compare."""
    shown, extent = _current(store, view, shown)
    now, seen = one.current, visible_range(view.window, extent)
    has_data = now is not None and len(now.history) > 0
    line = _line(one, now, replace(view, raw=True), seen, canvas) if now else EMPTY
    colour = variant_colour(one.hue, view.colours)
    picture = Picture(
        x=x_scale(seen.high, canvas.columns, low=seen.low),
        y=y_scale(shown.y or _ANY, canvas.rows, log=view.log),
        series=(Series(label(one), colour, line=line),),
        marks=tuple(marks_of(one, now, view)) if now else (),
        rules=epoch_lines.of_one(store, now, view.axis, seen, canvas.columns) if now else (),
        message="" if has_data else wrapped(_own_activity(one, store), canvas.columns),
    )
    picture = with_counts(picture, [now.history] if now else [], view)
    return picture, replace(shown, extent=None)


def extended(
    states: Iterable[VariantState], view: ViewState, picture: Picture, canvas: ChartSize
) -> Picture:
    """The picture with the lines of these variants, its last series, as long as they are now."""
    grown = [(one, one.current) for one in states if one.current is not None]
    behind = len(picture.series) - len(grown)
    seen = XRange(picture.x.low, picture.x.high)
    lines = [_line(one, now, view, seen, canvas) for one, now in grown]
    series = zip(picture.series[behind:], lines, strict=True)
    grown_series = [replace(each, line=line) for each, line in series]
    return replace(picture, series=(*picture.series[:behind], *grown_series))


def _current(store: Store, view: ViewState, shown: AxisRanges) -> tuple[AxisRanges, DataExtent]:
    """The ranges of the present frame, determined unless these are, and their extent."""
    if shown.extent is None:
        shown = axis_ranges(store, view, shown)
    return shown, shown.extent or data_extent(store, view, shown.x)


def _has_data(series: Iterable[Series]) -> bool:
    return any(
        not line.is_empty for each in series for line in (each.line, each.points, each.reach)
    )


def carried_over(shown: AxisRanges, of: object) -> AxisRanges:
    return shown if shown.of == of else AxisRanges(of)


def line_of(
    one: VariantState, now: Curves, view: ViewState, seen: XRange, canvas: ChartSize
) -> Series:
    history = now.history
    if not canvas.dots:
        return Series(label(one), variant_colour(one.hue, view.colours))
    raw = positive(history.polyline(view.axis, seen.low, seen.high, canvas.dots), view.log)
    band = EMPTY if view.raw else history.band(view.axis, seen.low, seen.high, canvas.columns)
    return Series(
        label=label(one),
        colour=variant_colour(one.hue, view.colours),
        line=_line(one, now, view, seen, canvas),
        band=positive(band, view.log),
        points=positive(_points(now.evaluations, view.axis, seen, canvas), view.log),
        validation=positive(_points(now.validations, view.axis, seen, canvas), view.log),
        depth=_depth(one) if view.raw else 0,
        number=view.number(one),
        end="" if view.raw else _end(one, view, canvas),
        reach=EMPTY if view.raw else raw,
        strays=EMPTY if view.raw else strays(raw),
    )


def _line(
    one: VariantState, now: Curves, view: ViewState, seen: XRange, canvas: ChartSize
) -> Polyline:
    """Every batch, or the smoothed losses."""
    if not canvas.dots:
        return EMPTY
    if view.raw:
        line = now.history.polyline(view.axis, seen.low, seen.high, canvas.dots)
    else:
        line = line_at_mean_age(
            now.history, view.axis, seen, canvas.dots, window=view.smoothing, n=one.tally.n
        )
    return positive(line, view.log)


def _end(one: VariantState, view: ViewState, canvas: ChartSize) -> str:
    """The text at the end of a line; with the variant's name where there is room for it."""
    value = formatting.number(one.smoothed(view.smoothing), 2)
    (name,) = shortened((label(one),), _SHORT_NAME) if canvas.columns >= _ROOMY else ("",)
    return " ".join(part for part in (str(one.index + 1), name, value) if part)


def _depth(one: VariantState) -> int:
    """The depth of a raw line; the smallest batches, which are the noisiest, are at the back."""
    resolved = one.tally.resolved
    return 1 + one.tally.n - (resolved.batch_size if resolved else 0)


def _title(store: Store, view: ViewState, found: str, columns: int) -> str:
    """The kind of the lines, and their unit, as under accumulation a batch is not an update."""
    what = "every batch" if view.raw else smoothing_told(store, view)
    if view.raw and any(one.tally.batches != one.tally.updates for one in store.states):
        what += ", not update"
    parts = [part for part in ("loss", found, what, points_told(store)) if part]
    title = " · ".join(parts)
    if len(title) > columns and len(parts) > 3:  # the smoothing can be spared
        title = " · ".join(part for part in parts if part != what)
    return title


def smoothing_told(store: Store, view: ViewState) -> str:
    """The smoothing of the lines, in epochs where these are known."""
    return f"smoothed over {formatting.epochs(view.smoothing)}" if has_epochs(store) else "smoothed"


def points_told(store: Store) -> str:
    """The legend of the single values on a chart."""
    return "◆ on all data · ◇ on validation data" if store.has_validation else "◆ on all data"


def ghost_of(
    one: VariantState, then: Curves, view: ViewState, seen: XRange, canvas: ChartSize
) -> Series:
    colour = variant_colour(one.hue, view.colours)
    line = EMPTY
    if canvas.dots:
        line = line_at_mean_age(
            then.history, view.axis, seen, canvas.dots, window=view.smoothing, n=one.tally.n
        )
    depth = _depth(one) if view.raw else 0
    return Series(
        label=f"{one.tally.name}, before",
        colour=colour,
        line=positive(line, view.log),
        faint=True,
        depth=depth,
        number=view.number(one),
    )


def _points(measured: KeptPoints, axis: Axis, seen: XRange, canvas: ChartSize) -> Polyline:
    """A dozen points along the window, at most, at equal distances: more would chop the lines."""
    rows = measured.values
    at = rows[:, PLACE[axis]]
    start, stop = at.searchsorted(seen.low), at.searchsorted(seen.high, "right")
    drawn = dozen(at, rows[:, 3], int(start), int(stop), seen.width)
    return Polyline(at[drawn], rows[drawn, 3], rows[drawn, 3])


def marks_of(one: VariantState, now: Curves, view: ViewState) -> Iterable[Mark]:
    colour = variant_colour(one.hue, view.colours)
    for change in now.changes:
        if label := formatting.difference(change.before, change.after, one.tally.n):
            at = (change.samples, change.updates, change.seconds)[PLACE[view.axis]]
            yield Mark(float(at), colour, label)


# --- Words in a chart without data ----------------------------------------------------------------


def activity(one: VariantState) -> str:
    """The activity of the variant before its first loss."""
    tally = one.tally
    if tally.state is State.STARTING and one.current is not None and not len(one.current.history):
        return "measuring the loss on all data, before the first batch…"
    if tally.state is State.STARTING:
        return f"{tally.detail}…" if tally.detail else _IMPORTING
    if tally.state is State.RUNNING:
        return "first batch…"
    return f"{tally.state}: {tally.detail}" if tally.detail else str(tally.state)


def _own_activity(one: VariantState, store: Store) -> str:
    """The activity of the variant, unless the chart of all says the same."""
    said = activity(one)
    is_said_once = said == activity(store.states[0]) and not any(
        each.current and len(each.current.history) for each in store.states
    )
    return "" if is_said_once else said


def wrapped(text: str, columns: int) -> str:
    return "\n".join(textwrap.wrap(text, max(8, columns))[:6])
