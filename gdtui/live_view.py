"""What one app reads and draws: logs into the store, the store onto the widgets. Knows no key.

Bounded by count and time a tick, so that a flood of records never freezes the keys.
"""

import time
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from engine.log.notices import Notice, NoticeKind
from gdtui.chart.drawing.raster import DOTS_X
from gdtui.chart.widget.chart import Chart
from gdtui.control.commander import Commander
from gdtui.control.explorer import Explorer
from gdtui.control.replay_controller import ReplayCommander
from gdtui.state.replay import Replay
from gdtui.state.store import Store
from gdtui.state.variant import VariantState
from gdtui.theme import colours, ink
from gdtui.view import pictures
from gdtui.view.focus import focused
from gdtui.view.pictures import AxisRanges, ChartSize
from gdtui.view.text import screen_text
from gdtui.view.view_state import ViewState
from gdtui.view.x_range import XRange
from gdtui.widgets.summary import Summary
from gdtui.widgets.variant import VariantPanel
from gdtui.widgets.written import write_figures

if TYPE_CHECKING:
    from gdtui.app import GdtuiApp, Severity

_READ_SECONDS: Final = 0.03
"""Reading a tick may take so long; what is left comes with the next."""
_READ_RECORDS: Final = 200
"""Records of one log before the next one gets its turn."""
_FIGURES_SECONDS: Final = 0.5
"""Numbers that change faster are hard to read."""


class LiveView:
    """The moving part of the app."""

    def __init__(self, app: "GdtuiApp") -> None:
        self._app = app
        self.store = Store(app.run_directory.info.settings)
        self.source = app.source
        self.commander = (
            ReplayCommander(self.store, self.source)
            if isinstance(self.source, Replay)
            else Commander(self.store, app.controls)
        )
        self.view = ViewState(colours=colours(app.current_theme), ink=ink(app.current_theme))
        self.explorer = Explorer(self)
        self._ranges: dict[str, AxisRanges] = {}
        self._drawn: dict[str, tuple[ChartSize, ViewState, XRange, int, bool]] = {}
        self._versions: dict[str, int] = dict.fromkeys(self.store.variants, 0)
        self._ticked_at = 0.0
        self._figures_at = 0.0
        self._owes_figures = False
        self._read_out: float | None = None
        """Where the crosshair was when its figures were written."""
        self._had_ended = False
        self._begun = 0

    @property
    def chosen(self) -> list[VariantState]:
        """The variants that keys act on."""
        states = self.store.states
        return states if self.view.selected is None else [states[self.view.selected]]

    def look(self, **options: Any) -> None:
        """Change what is looked at, and show it at once."""
        self.view = replace(self.view, **options)
        self.tick(figures=True)

    def clear_ghosts(self) -> bool:
        """Show no ghosts that there are now, or, where none is shown, all of them; False: there are none."""
        ghosts = [one for one in self.store.states if one.ghost is not None]
        is_any_shown = any(self.view.shows_ghost(one) for one in ghosts)
        cleared = tuple(one.tally.generation for one in self.store.states) if is_any_shown else ()
        self.look(cleared=cleared)
        return bool(ghosts)

    def move_cursor(self, columns: int) -> None:
        """The crosshair so many columns to the right, in all charts; counted on the first that is seen."""
        charts = self._app.screen_stack[0].query(Chart)
        self.explorer.move_cursor(next((chart for chart in charts if chart.is_on_screen), None), columns)

    def focus(self) -> bool:
        """One chart over the whole screen, or back; False: the chart of all fills it already."""
        panels = self._app.screen_stack[0].query_one("#panels")
        if not (self.view.focus or panels.display) and self.view.selected is None:
            return False
        self.look(focus=not self.view.focus)
        self._app.call_after_refresh(self.tick)  # in the room that there is then
        return True

    def glance(self, **options: Any) -> None:
        """The same for what may change many times a frame: shown at once, or else with the next frame."""
        self.view = replace(self.view, **options)
        if time.monotonic() - self._ticked_at >= self._app.frame_seconds:
            self.tick()

    def tick(self, *, figures: bool = False) -> None:
        """Read what is new and repaint what it changes; figures only now and then, or when asked."""
        screens = self._app.screen_stack
        if not screens or screens[0].query_one_optional(Summary) is None:
            return  # a last tick, while the app is taken apart
        self._read()
        now = self._ticked_at = time.monotonic()
        if self._app.screen_stack[0].query_one_optional("#overlay") is None:
            return  # a last tick while the screen is being taken down
        self._owes_figures |= figures
        if not self._app.pacer.begin_frame():
            return  # this frame is dropped; what it would have shown, the next one shows
        with self._app.batch_update():
            self._draw_charts()
            is_due = now - self._figures_at >= _FIGURES_SECONDS or self._has_begun()
            if self._owes_figures or is_due or self._read_out != self.explorer.cursor:
                self._owes_figures = False
                self._figures_at, self._read_out = now, self.explorer.cursor
                write_figures(self._app.screen_stack[0], self)
                self._watch_for_end()

    def catch_up(self) -> None:
        """Draw the frame that was dropped while the terminal was busy."""
        if self._app.pacer.has_dropped:
            self.tick()

    def _has_begun(self) -> bool:
        """Whether another variant has its first loss: that is shown without waiting."""
        before, self._begun = self._begun, sum(one.tally.batches > 0 for one in self.store.states)
        return self._begun > before

    # --- Results --------------------------------------------------------------------------------

    def show_summary(self, wanted: bool | None) -> bool:
        """Show the results (True), hide them, or the other way round (None); False: there are none."""
        summary = self._app.screen_stack[0].query_one(Summary)
        summary.display = not summary.display if wanted is None else wanted
        if summary.display and not self.store.has_results:
            summary.display = False
            return False
        if summary.display:
            summary.tell(self.store, is_ours=self.source.obeyed is None)
        return True

    def hide_summary(self) -> bool:
        """Whether there was anything to hide."""
        was_shown = self._app.screen_stack[0].query_one(Summary).display
        self.show_summary(False)
        return was_shown

    def _watch_for_end(self) -> None:
        """The results come up when the last variant ends, and go when training goes on."""
        has_ended = self.store.has_ended
        if has_ended != self._had_ended:
            self._had_ended = has_ended
            self.show_summary(has_ended)

    # --- Reading --------------------------------------------------------------------------------

    def _read(self) -> None:
        until = time.monotonic() + _READ_SECONDS
        while True:
            count = 0
            for name, record in self.source.read(_READ_RECORDS):
                self.store.add(name, record)
                self._versions[name] += 1
                count += 1
            if count < _READ_RECORDS or time.monotonic() > until:
                break  # no log has more
        self._app.say(self.store.take_said())
        self._heed(self.source.notices())
        if self._app.controls is not None:
            run = self._app.run_directory.path
            self._heed([screen_text.advised(notice, run) for notice in self._app.controls.poll()])

    def _heed(self, notices: list[Notice]) -> None:
        """Show what the session says: in the bottom line, and in the panel that it is about."""
        told = []
        for notice in notices:
            self.store.heed(notice)
            severity: Severity = "information" if notice.kind is NoticeKind.LOG_UNBLOCKED else "error"
            about = "" if notice.kind is NoticeKind.SERVER_DIED else notice.variant or ""
            told.append((f"{about}: {notice.text}" if about else notice.text, severity))
        for text, severity in dict.fromkeys(told):
            self._app.say([text], severity)

    # --- Drawing --------------------------------------------------------------------------------

    def _draw_charts(self) -> None:
        screen = self._app.screen_stack[0]
        chart, seen = screen.query_one("#overlay", Chart), self.explorer.seen
        if canvas := self._due("overlay", chart, seen, sum(self._versions.values())):
            alone = self.alone
            arguments = (self.view, canvas, self._shown("overlay"))
            picture, self._ranges["overlay"] = (
                focused(self.store, alone, *arguments) if alone else pictures.overlay(self.store, *arguments)
            )
            chart.show(picture)
        for one, panel in zip(self.store.states, self.panels, strict=False):
            name = one.tally.name
            if canvas := self._due(name, panel.chart, seen, self._versions[name]):
                picture, self._ranges[name] = pictures.panel(
                    self.store, one, self.view, canvas, self._shown(name)
                )
                panel.chart.show(picture)
        for each in (chart, *(panel.chart for panel in self.panels)):
            each.point(self.explorer.cursor)

    @cached_property
    def panels(self) -> list[VariantPanel]:
        """Those of the first screen: they stay as long as it."""
        return list(self._app.screen_stack[0].query(VariantPanel))

    def _shown(self, key: str) -> AxisRanges:
        """The ranges that a chart's axes hold on to while it moves; at rest they follow from the data alone.

        So a run that has ended or is paused looks the same to whoever comes later.
        """
        return AxisRanges() if self.store.is_at_rest else self._ranges.get(key, AxisRanges())

    def _due(self, key: str, chart: Chart, seen: XRange, version: int) -> ChartSize | None:
        """The room of a chart that is seen and would look different from what it was last drawn from.

        `seen`: the part of x that all charts show; the newest batch of any variant may move it.
        """
        if not chart.is_on_screen:
            return None
        room = chart.canvas
        canvas = ChartSize(room.width * DOTS_X, room.width, room.height)
        drawn = (canvas, self.view, seen, version, self.store.is_at_rest)
        if self._drawn.get(key) == drawn:
            return None
        self._drawn[key] = drawn
        return canvas

    @property
    def alone(self) -> VariantState | None:
        """The variant whose chart fills the screen."""
        selected = self.view.selected if self.view.focus else None
        return None if selected is None else self.store.states[selected]
