"""The pictures of the charts: pure functions from store and view options.

Stateless: the ranges on screen are passed in and returned, so that axes do not jitter.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from gdtui.chart.scene.axes import settle, x_scale, y_scale
from gdtui.chart.scene.palette import variant_colour
from gdtui.chart.scene.picture import Picture, Series
from gdtui.chart.scene.polyline import EMPTY, Axis, Polyline
from gdtui.chart.scene.scales.limits import Range
from gdtui.chart.scene.shortening import shortened
from gdtui.chart.scene.thinning import dozen
from gdtui.history.storage.kept_points import KeptPoints
from gdtui.state.curves import Curves
from gdtui.state.store import Store
from gdtui.state.variant import PLACE, VariantState
from gdtui.view import epoch_lines
from gdtui.view.charts.marks import marks_of, own_marks
from gdtui.view.charts.words import activity, own_activity, title, wrapped
from gdtui.view.data_extent import data_extent, loss_range, positive, x_title
from gdtui.view.ranges.beyond import with_counts
from gdtui.view.ranges.mean_age import line_at_mean_age
from gdtui.view.ranges.origins import from_origin, shared_by_fork, shared_by_ghost, since
from gdtui.view.ranges.usual import strays
from gdtui.view.text import formatting
from gdtui.view.text.caveats.label import label
from gdtui.view.text.distance import distance_of
from gdtui.view.view_state import ViewState
from gdtui.view.x_range import DataExtent, XRange, visible_range

_ROOMY: Final = 100
"""Columns of a chart whose lines end with the names of their variants."""
_SHORT_NAME: Final = 16
_ANY: Final = (0.0, 1.0)


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
    found = distance_of(store, with_ghosts=bool(ghosts))
    series = [ghost_of(one, each, view, seen, canvas) for one, each in ghosts]
    series += [line_of(one, each, view, seen, canvas) for one, each in pairs]
    picture = Picture(
        x=x_scale(seen.high, canvas.columns, x_title(store, view, seen, extent), seen.low),
        y=y_scale(shown.y or _ANY, canvas.rows, log=view.log),
        series=tuple(series),
        marks=tuple(mark for one, each in pairs for mark in own_marks(one, each, view)),
        rules=epoch_lines.of_all(store, view.axis, seen, canvas.columns),
        title=title(store, view, found.text, canvas.columns),
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
    as_raw = replace(view, raw=True)
    line = _line(one, now, as_raw, seen, canvas, is_whole=True) if now else EMPTY
    colour = variant_colour(one.hue, view.colours)
    picture = Picture(
        x=x_scale(seen.high, canvas.columns, low=seen.low),
        y=y_scale(shown.y or _ANY, canvas.rows, log=view.log),
        series=(Series(label(one), colour, line=line),),
        marks=tuple(marks_of(one, now, view)) if now else (),
        rules=epoch_lines.of_one(store, now, view.axis, seen, canvas.columns) if now else (),
        message="" if has_data else wrapped(own_activity(one, store), canvas.columns),
    )
    picture = with_counts(picture, [now.history] if now else [], view)
    return picture, replace(shown, extent=None)


def extended(
    states: Iterable[VariantState],
    view: ViewState,
    picture: Picture,
    canvas: ChartSize,
    *,
    is_whole: bool = False,
) -> Picture:
    """The picture with the lines of these variants, its last series, as long as they are now.

    `is_whole`: as in `line_of`.
    """
    grown = [(one, one.current) for one in states if one.current is not None]
    behind = len(picture.series) - len(grown)
    seen = XRange(picture.x.low, picture.x.high)
    lines = [_line(one, now, view, seen, canvas, is_whole=is_whole) for one, now in grown]
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
    one: VariantState,
    now: Curves,
    view: ViewState,
    seen: XRange,
    canvas: ChartSize,
    *,
    is_whole: bool = False,
) -> Series:
    """The variant's line with all that belongs to it.

    `is_whole`: also the past that a fork shares with the variant it comes from.
    """
    if not canvas.dots:
        return Series(label(one), variant_colour(one.hue, view.colours))
    own = partial(
        _own, now, axis=view.axis, log=view.log, shared=0 if is_whole else shared_by_fork(now)
    )
    axis, raw_view = view.axis, replace(view, raw=True)
    raw = _line(one, now, raw_view, seen, canvas, is_whole=is_whole)
    band = now.history.band(axis, seen.low, seen.high, canvas.columns)
    return Series(
        label=label(one),
        colour=variant_colour(one.hue, view.colours),
        line=_line(one, now, view, seen, canvas, is_whole=is_whole),
        band=EMPTY if view.raw else own(band),
        points=own(_points(now.evaluations, axis, seen, canvas)),
        validation=own(_points(now.validations, axis, seen, canvas)),
        depth=_depth(one) if view.raw else 0,
        number=view.number(one),
        end="" if view.raw else _end(one, view, canvas),
        last=one.smoothed(view.smoothing),
        reach=EMPTY if view.raw else raw,
        strays=EMPTY if view.raw else strays(raw),
    )


def _own(now: Curves, line: Polyline, *, axis: Axis, log: bool, shared: int) -> Polyline:
    """The part of a line after the batches that a fork shares."""
    return positive(since(line, now.history, axis, shared), log)


def _line(
    one: VariantState,
    now: Curves,
    view: ViewState,
    seen: XRange,
    canvas: ChartSize,
    *,
    is_whole: bool = False,
) -> Polyline:
    """Every batch, or the smoothed losses; a fork's from its origin on."""
    history, shared = now.history, 0 if is_whole else shared_by_fork(now)
    if not canvas.dots:
        return EMPTY
    if view.raw:
        line = history.polyline(view.axis, seen.low, seen.high, canvas.dots)
        line = from_origin(line, history, view.axis, shared)
    else:
        line = line_at_mean_age(
            history,
            view.axis,
            seen,
            canvas.dots,
            window=view.smoothing,
            n=one.tally.n,
            shared=shared,
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


def ghost_of(
    one: VariantState, then: Curves, view: ViewState, seen: XRange, canvas: ChartSize
) -> Series:
    colour = variant_colour(one.hue, view.colours)
    line = EMPTY
    if canvas.dots:
        line = line_at_mean_age(
            then.history,
            view.axis,
            seen,
            canvas.dots,
            window=view.smoothing,
            n=one.tally.n,
            shared=shared_by_ghost(one.current, then),
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
