"""Draws a viewer's state onto the main screen: charts when they change, figures less often.

Reads no log and sends no command.
"""

import time
from typing import Any, Final

from textual.screen import Screen

from gdtui.chart.drawing.raster import DOTS_X
from gdtui.chart.widget.chart import Chart
from gdtui.control.viewer import Viewer
from gdtui.screens.main.figures import write_figures
from gdtui.view import pictures
from gdtui.view.focus import focused
from gdtui.view.pictures import AxisRanges, ChartSize
from gdtui.view.ranges.usual import PARTS
from gdtui.view.view_state import ViewState
from gdtui.view.x_range import XRange
from gdtui.widgets.variant import VariantPanel

_FIGURES_SECONDS: Final = 0.5
"""Seconds between updates of figures; numbers that change faster are hard to read."""
_RANGES_SECONDS: Final = 0.25
"""Seconds between updates of the axes' ranges, unless the data grow by half meanwhile."""


class Painter:
    """Keeps the widgets of one screen up to date with one viewer."""

    def __init__(self, screen: Screen[Any], viewer: Viewer) -> None:
        """`screen`: a composed screen, whose widgets live as long as it does."""
        self._screen = screen
        self._viewer = viewer
        self._overlay = screen.query_one("#overlay", Chart)
        self._panels = list(screen.query(VariantPanel))
        self._ranges: dict[str, AxisRanges] = {}
        self._drawn: dict[str, tuple[ChartSize, ViewState, object, int, bool]] = {}
        self._common_of: object = None
        self._common_batches: list[int] = []
        self._common_at = 0.0
        """The state for which the ranges of all charts were last determined, its batches, when."""
        self._figures_at = 0.0
        self._written_cursor: float | None = None
        """The crosshair's position when its figures were written."""
        self._begun = 0

    def paint(self, *, figures: bool) -> bool:
        """Draw what has changed; figures when asked or due. True: they were written."""
        self._draw_charts()
        now, cursor = time.monotonic(), self._viewer.cursor
        is_due = now - self._figures_at >= _FIGURES_SECONDS or self._has_begun()
        if not (figures or is_due or self._written_cursor != cursor):
            return False
        self._figures_at, self._written_cursor = now, cursor
        write_figures(self._screen, self._panels, self._viewer)
        return True

    def _has_begun(self) -> bool:
        """True when another variant has its first loss, which is shown without waiting."""
        before, self._begun = (
            self._begun,
            sum(one.tally.batches > 0 for one in self._viewer.store.states),
        )
        return self._begun > before

    def _draw_charts(self) -> None:
        viewer = self._viewer
        store, view, version = viewer.store, viewer.view, sum(viewer.versions.values())
        common = self._common_ranges(window := viewer.seen)
        seen = (window, common.x, common.y)
        if canvas := self._due("overlay", self._overlay, seen, version):
            if viewer.alone:
                picture, self._ranges["alone"] = focused(
                    store, viewer.alone, view, canvas, self._shown("alone")
                )
            else:
                picture, _ = pictures.overlay(store, view, canvas, common)
            self._overlay.show(picture)
        for one, panel in zip(store.states, self._panels, strict=False):
            name = one.tally.name
            if canvas := self._due(name, panel.chart, seen, viewer.versions[name]):
                picture, _ = pictures.panel(store, one, view, canvas, common)
                panel.chart.show(picture)
        for chart in (self._overlay, *(panel.chart for panel in self._panels)):
            chart.point(viewer.cursor)

    def _common_ranges(self, seen: XRange) -> AxisRanges:
        """The ranges of all charts; they follow the data when these have grown by a column."""
        viewer, now = self._viewer, time.monotonic()
        store = viewer.store
        of = (viewer.view, seen, store.is_at_rest)
        batches = [one.tally.batches for one in store.states]
        share = 1 / PARTS if now - self._common_at >= _RANGES_SECONDS else 0.5
        if of != self._common_of or _has_grown(self._common_batches, batches, share):
            self._common_of, self._common_batches, self._common_at = of, batches, now
            self._ranges["all"] = pictures.axis_ranges(store, viewer.view, self._shown("all"))
        return self._ranges["all"]

    def _shown(self, key: str) -> AxisRanges:
        """Axis ranges that a chart keeps while it changes; at rest they follow from the data alone.

        So a run that has ended or is paused looks the same to anyone who opens it later.
        """
        return (
            AxisRanges() if self._viewer.store.is_at_rest else self._ranges.get(key, AxisRanges())
        )

    def _due(self, key: str, chart: Chart, seen: object, version: int) -> ChartSize | None:
        """The size of a chart that is visible and has changed since it was last drawn.

        `seen`: the ranges that all charts show, which the newest batch of any variant may move.
        """
        if not chart.is_on_screen:
            return None
        room = chart.canvas
        canvas = ChartSize(room.width * DOTS_X, room.width, room.height)
        drawn = (canvas, self._viewer.view, seen, version, self._viewer.store.is_at_rest)
        if self._drawn.get(key) == drawn:
            return None
        self._drawn[key] = drawn
        return canvas


def _has_grown(before: list[int], now: list[int], share: float) -> bool:
    """True if any variant has restarted, or has this share more batches than before."""
    if len(before) != len(now):
        return True
    return any(
        new < old or (new > old and new - old >= old * share)
        for old, new in zip(before, now, strict=True)
    )
