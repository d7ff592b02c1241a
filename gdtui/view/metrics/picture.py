"""One number of every variant over training, as a picture. Pure."""

import numpy as np

from gdtui.chart.scene.arrays import Floats
from gdtui.chart.scene.axes import settle, x_scale, y_scale
from gdtui.chart.scene.palette import variant_colour
from gdtui.chart.scene.picture import Picture, Series
from gdtui.chart.scene.polyline import EMPTY, Polyline
from gdtui.history.named.mean_points import HIGH, LOW, MEAN, merged
from gdtui.state.store import Store
from gdtui.state.variant import PLACE, VariantState
from gdtui.view import epoch_lines
from gdtui.view.charts.marks import marks_of
from gdtui.view.data_extent import data_extent, extremes, positive, x_title
from gdtui.view.pictures import AxisRanges, ChartSize, carried_over
from gdtui.view.text.caveats.label import label
from gdtui.view.text.formatting import number
from gdtui.view.view_state import ViewState
from gdtui.view.x_range import XRange, visible_range


def names(store: Store, part: str = "") -> list[str]:
    """The names of all numbers that variants on screen have, if they contain this part."""
    every = [name for one in store.states if one.current for name in one.current.named.names]
    return [name for name in dict.fromkeys(every) if part.casefold() in name.casefold()]


def metric(
    store: Store,
    view: ViewState,
    name: str,
    canvas: ChartSize,
    shown: AxisRanges,
    cursor: float | None = None,
) -> tuple[Picture, AxisRanges]:
    """A number over training; its title has the newest values, or those at the crosshair."""
    found = [(one, rows) for one in store.states if (rows := _rows(one, name)) is not None]
    log = view.log and any((rows[:, HIGH] > 0).any() for _, rows in found)
    shown = carried_over(shown, (name, view.axis, view.window, log))
    extent = data_extent(store, view, shown.x)
    seen = visible_range(view.window, extent)
    series = [
        _series(one, _by_column(rows, view, seen, canvas.columns), view, log=log)
        for one, rows in found
    ]
    drawn = [line for each in series for line in (each.line, each.band)]
    y = settle(shown.y, *extremes(drawn, [], seen, log=log), log=log)
    picture = Picture(
        x=x_scale(seen.high, canvas.columns, x_title(store, view, seen, extent), seen.low),
        y=y_scale(y, canvas.rows, log=log),
        series=tuple(series),
        marks=tuple(
            mark for one, _ in found if one.current for mark in marks_of(one, one.current, view)
        ),
        rules=epoch_lines.of_all(store, view.axis, seen, canvas.columns),
        title=" · ".join([name, *_values(found, view, cursor)]),
    )
    return picture, AxisRanges(shown.of, extent.end, y)


def _rows(one: VariantState, name: str) -> Floats | None:
    return None if one.current is None else one.current.named.values(name)


def _by_column(rows: Floats, view: ViewState, seen: XRange, columns: int) -> Floats:
    """The rows in view and those beside it, at most one for each column of cells."""
    x = rows[:, PLACE[view.axis]]
    start, stop = np.searchsorted(x, [seen.low, seen.high])
    rows, x = rows[max(start - 1, 0) : stop + 1], x[max(start - 1, 0) : stop + 1]
    if len(rows) <= max(columns, 1):
        return rows
    column = np.floor((x - seen.low) / seen.width * columns)
    return merged(rows, np.flatnonzero(np.diff(column, prepend=-np.inf)))


def _series(one: VariantState, rows: Floats, view: ViewState, *, log: bool) -> Series:
    """Means as a line, and a band from the lowest to the highest value where they differ."""
    x, mean, low, high = (rows[:, place] for place in (PLACE[view.axis], MEAN, LOW, HIGH))
    return Series(
        label(one),
        variant_colour(one.hue, view.colours),
        line=positive(Polyline(x, mean, mean), log),
        band=positive(Polyline(x, low, high), log) if (low < high).any() else EMPTY,
        number=view.number(one),
    )


def _values(
    found: list[tuple[VariantState, Floats]], view: ViewState, cursor: float | None
) -> list[str]:
    """The value of each variant at the crosshair, or else the newest; of several, numbered."""
    values = [number(float(_at(rows, view, cursor)[MEAN])) for _, rows in found]
    if len(values) == 1:
        return values
    return [f"{one.index + 1} {value}" for (one, _), value in zip(found, values, strict=True)]


def _at(rows: Floats, view: ViewState, cursor: float | None) -> Floats:
    """The row nearest to this position; without one, the last."""
    place = -1 if cursor is None else np.abs(rows[:, PLACE[view.axis]] - cursor).argmin()
    row: Floats = rows[place]
    return row
