"""The comparison of all variants as a picture: everything that the runs hold so far."""

from dataclasses import replace
from typing import Final

from gdtui.chart.scene.axes import x_scale
from gdtui.chart.scene.picture import Picture
from gdtui.plot.format import PlotFormat
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.record_source import RecordSource
from gdtui.state.store import Store
from gdtui.view import pictures
from gdtui.view.pictures import AxisRanges, ChartSize
from gdtui.view.view_state import ViewState

_DOTS: Final = 1600
"""Points of a line; more than 300 dpi can show in one column."""
_BAND_COLUMNS: Final = 200
_READ_BYTES: Final = 1 << 20


class NothingToPlotError(Exception):
    """The runs hold no loss yet; the message says so."""


def read_all(shown: ShownRuns, source: RecordSource) -> Store:
    """The store of everything that the runs hold so far."""
    store = Store(shown.settings, shown.variants)
    while True:
        for name, part in source.portions(_READ_BYTES):
            store.add(name, part)
        if not source.has_more:
            store.settle()
            return store


def comparison(store: Store, view: ViewState, form: PlotFormat) -> Picture:
    """The chart of all variants. Raises NothingToPlotError if there is no loss."""
    canvas = ChartSize(_DOTS, _BAND_COLUMNS, form.rows)
    picture, _ = pictures.overlay(store, view, canvas, AxisRanges())
    if all(each.line.is_empty for each in picture.series):
        raise NothingToPlotError("no loss has been recorded yet")
    lines = [line for each in picture.series for line in (each.line, each.points)]
    end = max((float(line.x[-1]) for line in lines if not line.is_empty), default=picture.x.high)
    return replace(picture, x=x_scale(end, form.ticks, picture.x.title, picture.x.low))


def without_ghosts(view: ViewState, store: Store) -> ViewState:
    """The view without the curves from before a restart."""
    return replace(view, cleared=store.generations)
