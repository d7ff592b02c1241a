"""Draws a viewer's state onto the main screen: charts when they change, figures less often.

Reads no log and sends no command.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from textual.screen import Screen

from gdtui.chart.scene.picture import Picture
from gdtui.chart.widget.chart import Chart
from gdtui.control.viewer import Viewer
from gdtui.screens.main.figures import write_figures
from gdtui.screens.main.live_chart import Growth, LiveChart
from gdtui.screens.main.panels import fit_panels
from gdtui.state.variant import VariantState
from gdtui.terminal.budget import DrawingBudget, Thrift
from gdtui.view import pictures
from gdtui.view.charts.sampled import of_sample
from gdtui.view.data_extent import end_of
from gdtui.view.focus import focused
from gdtui.view.pictures import AxisRanges, ChartSize
from gdtui.view.ranges.usual import PARTS
from gdtui.view.x_range import XRange
from gdtui.widgets.variant import VariantPanel

_FIGURES_SECONDS: Final = 0.5
"""Seconds between updates of figures; numbers that change faster are hard to read."""
_RANGES_SECONDS: Final = 2.0
"""Seconds between updates of the axes' ranges, unless the data grow by half meanwhile."""
_OVERLAY_FRAMES: Final = 2
"""Frames from one drawing of new dots in the chart of all to the next…"""
_PANEL_FRAMES: Final = 3
"""…and in a panel, which is a third as wide."""
_Extend = Callable[[Picture, ChartSize], Picture]
_Update = tuple[object, Growth, Callable[[ChartSize], Picture], _Extend | None]
"""The arguments of `LiveChart.update`."""


class Painter:
    """Keeps the widgets of one screen up to date with one viewer."""

    def __init__(
        self, screen: Screen[Any], viewer: Viewer, budget: DrawingBudget | None = None
    ) -> None:
        """`screen`: a composed screen, whose widgets live as long as it does.

        `budget`: for the drawing of data that keep arriving; None if it does not matter.
        """
        self._screen = screen
        self._viewer = viewer
        self._budget = budget
        self.thrift = Thrift.NONE
        """The thrift of the last frame."""
        self._overlay = LiveChart(screen.query_one("#overlay", Chart))
        self._states: list[VariantState] = []
        self._panels: list[VariantPanel] = []
        self._live_panels: list[LiveChart] = []
        self._ranges: dict[str, AxisRanges] = {}
        self._common_of: object = None
        self._common_batches: list[int] = []
        self._common_at = 0.0
        """The state for which the ranges of all charts were last determined, its batches, when."""
        self._figures_at = 0.0
        self._written_cursor: float | None = None
        """The crosshair's position when its figures were written."""
        self._shown_of: object = None
        self._updates: list[tuple[LiveChart, _Update]] = []
        """All charts with what they show, and the data and view for which it was determined."""
        self._begun = self._early = self._frame = 0

    def paint(self, *, figures: bool) -> bool:
        """Draw what has changed; figures when asked or due. True: they were written."""
        if self._viewer.store.states is not self._states:
            self._follow_roster()
        thrift = self.thrift = self._thrift_now()
        self._draw_charts(thrift, at_once=figures)
        now, cursor = time.monotonic(), self._viewer.cursor
        is_due = self._has_begun() or now - self._figures_at >= _FIGURES_SECONDS * thrift.factor
        if not (figures or is_due or self._written_cursor != cursor):
            return False
        self._figures_at, self._written_cursor = now, cursor
        write_figures(self._screen, self._panels, self._viewer)
        return True

    def _thrift_now(self) -> Thrift:
        """Much only in a flood of losses: elsewhere, half of the frames would be missed."""
        if self._budget is None:
            return Thrift.NONE
        return self._budget.thrift(Thrift.MOST if self._viewer.is_flooded else Thrift.SOME)

    def _follow_roster(self) -> None:
        """Fit the panels to the variants on screen; again until the new ones are composed."""
        states = self._viewer.store.states
        panels = fit_panels(self._screen, states)
        self._panels = [panel for panel in panels if panel.chart.is_mounted]
        charts = 1 + len(self._panels)
        self._live_panels = [
            LiveChart(panel.chart, phase=place / charts)
            for place, panel in enumerate(self._panels, start=1)
        ]
        if len(self._panels) == len(panels):
            self._states = states

    def _has_begun(self) -> bool:
        """True when another variant has its first loss, which is shown without waiting."""
        before, self._begun = (
            self._begun,
            sum(one.tally.batches > 0 for one in self._viewer.store.states),
        )
        return self._begun > before

    def _draw_charts(self, thrift: Thrift, *, at_once: bool) -> None:
        updates = self._current_updates()
        self._frame += 1
        drawn = [
            live.update(*what, at_once=at_once, rests=self._rests(place), thrift=thrift)
            for place, (live, what) in enumerate(updates)
        ]
        if thrift < Thrift.MUCH and not any(drawn):  # so that each frame shows something new
            self._draw_early(updates)
        for live, _ in updates:
            live.chart.point(self._viewer.cursor)

    def _rests(self, place: int) -> bool:
        """True for the chart of all in every other frame, and for a panel in two of three."""
        return (place + self._frame) % (_PANEL_FRAMES if place else _OVERLAY_FRAMES) != 0

    def _draw_early(self, updates: Sequence[tuple[LiveChart, _Update]]) -> None:
        """Draw what would have waited: a line that has grown or, if none has, those of a panel."""
        resting = [each for place, each in enumerate(updates) if self._rests(place)]
        if any(live.update(*what, at_once=False) for live, what in resting):
            return
        if panels := updates[1:]:
            self._early = (self._early + 1) % len(panels)
            live, what = panels[self._early]
            live.update(*what, at_once=False, early=True)

    def _current_updates(self) -> list[tuple[LiveChart, _Update]]:
        """Every chart, and the data that it shows now; determined again if these may differ."""
        viewer, age = self._viewer, time.monotonic() - self._common_at
        store = viewer.charted
        of = (
            viewer.view, store, store.is_at_rest, viewer.versions.copy(),
            self._live_panels, age >= self._ranges_seconds,
        )  # fmt: skip
        if of != self._shown_of:
            self._shown_of, self._updates = of, [*self._determined_updates()]
        return self._updates

    def _determined_updates(self) -> Iterator[tuple[LiveChart, _Update]]:
        viewer = self._viewer
        common = self._common_ranges(seen := viewer.seen)
        store, states = viewer.charted, viewer.charted.states
        # What is the same in all charts. The newest batch of any variant may move their ranges.
        of = (viewer.view, seen, common.x, common.y, store.is_at_rest, store)
        extend = None if viewer.alone else partial(pictures.extended, states, viewer.view)
        conditions, growth = (of, *map(_condition, states)), self._growth(states, seen)
        yield self._overlay, (conditions, growth, partial(self._picture, common), extend)
        as_raw = replace(viewer.view, raw=True)
        for one, live in zip(states, self._live_panels, strict=False):
            draw = partial(self._panel_picture, one, common)
            extend = partial(pictures.extended, [one], as_raw, is_whole=True)
            yield live, ((of, _condition(one)), self._growth([one], seen), draw, extend)

    def _picture(self, common: AxisRanges, canvas: ChartSize) -> Picture:
        """The picture of all variants, or of the one whose chart fills the screen."""
        store, view, alone = self._viewer.charted, self._viewer.view, self._viewer.alone
        if alone is None:
            return self._as_known(pictures.overlay(store, view, canvas, common)[0])
        one, shown = store.states[alone.index], self._shown("alone")
        picture, self._ranges["alone"] = focused(store, one, view, canvas, shown)
        return self._as_known(picture)

    def _panel_picture(self, one: VariantState, common: AxisRanges, canvas: ChartSize) -> Picture:
        viewer = self._viewer
        return self._as_known(pictures.panel(viewer.charted, one, viewer.view, canvas, common)[0])

    def _as_known(self, picture: Picture) -> Picture:
        """The picture, without what a sample of the losses cannot show."""
        is_sample = self._viewer.charted is not self._viewer.store
        return of_sample(picture) if is_sample else picture

    def _growth(self, states: Sequence[VariantState], seen: XRange) -> Growth:
        """The data of a chart of these variants."""
        version = 0  # a sample does not change
        if self._viewer.charted is self._viewer.store:
            version = sum(self._viewer.versions.get(one.tally.name, 0) for one in states)
        axis = self._viewer.view.axis
        ends = tuple(end_of(one.current, axis) if one.current else 0.0 for one in states)
        measured = sum(
            len(one.current.evaluations) + len(one.current.validations)
            for one in states
            if one.current
        )
        return Growth(version, ends, seen.width, measured)

    def _common_ranges(self, seen: XRange) -> AxisRanges:
        """The ranges of all charts; they follow the data when these have grown by a column."""
        viewer, now = self._viewer, time.monotonic()
        store = viewer.charted
        of = (viewer.view, seen, store.is_at_rest, store)
        batches = [one.tally.batches for one in store.states]
        share = 1 / PARTS if now - self._common_at >= self._ranges_seconds else 0.5
        if of != self._common_of or _has_grown(self._common_batches, batches, share):
            self._common_of, self._common_batches, self._common_at = of, batches, now
            self._ranges["all"] = pictures.axis_ranges(store, viewer.view, self._shown("all"))
        return self._ranges["all"]

    @property
    def _ranges_seconds(self) -> float:
        return _RANGES_SECONDS * self.thrift.factor

    def _shown(self, key: str) -> AxisRanges:
        """Axis ranges that a chart keeps while it changes; at rest they follow from the data alone.

        So a run that has ended or is paused looks the same to anyone who opens it later.
        """
        return (
            AxisRanges() if self._viewer.charted.is_at_rest else self._ranges.get(key, AxisRanges())
        )


def _condition(one: VariantState) -> object:
    """All that a chart shows of a variant beside its losses and measurements."""
    changes = len(one.current.changes) if one.current else 0
    tally = one.tally
    return tally.name, tally.generation, tally.state, tally.detail, changes


def _has_grown(before: list[int], now: list[int], share: float) -> bool:
    """True if any variant has restarted, or has this share more batches than before."""
    if len(before) != len(now):
        return True
    return any(
        new < old or (new > old and new - old >= old * share)
        for old, new in zip(before, now, strict=True)
    )
