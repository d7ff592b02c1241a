"""Keeps the main screen's widgets up to date: a timer reads records and repaints changes.

Knows no key. What it shows comes from the store, through the viewer. numpy and plotext are imported
after the first frame.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widget import Widget

from engine.log.records import State
from gdtui.chart.widget.chart import Chart
from gdtui.keys.flood import KeyFlood
from gdtui.keys.footer import FooterState
from gdtui.lesson.course.guide import Guide
from gdtui.screens.main.panels import PANELS
from gdtui.screens.notes import ShowNotes
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.terminal.budget import DrawingBudget
from gdtui.terminal.frame_gate import FrameGate
from gdtui.terminal.partial_update import painting
from gdtui.view.text.heading.titles import joined, title_parts
from gdtui.widgets.coach import CoachLine
from gdtui.widgets.console import ConsolePane
from gdtui.widgets.footer import Footer
from gdtui.widgets.line import Line, as_content
from gdtui.widgets.spread import Spread
from gdtui.widgets.summary import Summary
from gdtui.widgets.variant import VariantPanel
from gdtui.widgets.variant_lines import VariantLines

if TYPE_CHECKING:
    from gdtui.control.run_controller import RunController
    from gdtui.control.viewer import Viewer
    from gdtui.screens.main.painter import Painter

_EAGER_FPS: Final = 30
"""Looks per second until every variant has its first loss, for which the user is waiting."""
_EAGER_SECONDS: Final = 30
"""Maximum duration of that rate in seconds; an arm of a sweep may begin much later."""
_BREATH_SECONDS: Final = 0.001
"""Pause between two reads of the past of a long run, in which keys get their turn."""
_PATIENCE: Final = 0.25
"""Seconds between frames while a long past is read: drawing would take half of the time."""


@cache  # freezing again would keep the screens and runs closed since then
def _preload() -> None:
    from gdtui.chart.drawing.frame import library

    library()
    gc.freeze()  # so that the garbage collector need not scan the drawing code


@dataclass(frozen=True, slots=True)
class Context:
    """The program around the main screen, as far as this screen uses it."""

    shown: ShownRuns
    connect: "Callable[[], tuple[Viewer, RunController]]"
    """Begins the run, or begins to watch it. Called once, after the first frame."""
    show_notes: ShowNotes
    obeyed: frozenset[str] | None
    """Ids of the commands that have an effect; None means all."""
    frame_seconds: float
    gate: FrameGate
    budget: DrawingBudget | None
    guide: Guide
    """The lesson, which any screen of the app may show."""


class LiveScreen(Screen[None]):
    """All variants of a run, live, side by side."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (12, "-short"), (28, "-tall")]  # noqa: RUF012

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self._ticked_at = 0.0
        self._flood = KeyFlood()
        self._owes_figures = False
        self._had_ended = False
        self._has_begun = False
        self._vital: tuple[Widget | None, ...] = ()  # nothing can be shown without these
        self._is_reading_on = False
        """True while the past of a long run is also read between frames."""
        self._expects_variant = False
        """True from a key that adds a variant until it is there, and is selected."""

    def compose(self) -> ComposeResult:
        variants = self.context.shown.settings.variants
        runs, count = [run.info.settings for run in self.context.shown.runs], len(variants)
        yield Line(as_content(joined(title_parts(runs))), id="header")
        with Horizontal(id="top"):
            yield Chart(title="loss", message="importing torch…", id="overlay")
            yield Spread(id="spread")
        with Horizontal(id="panels"):
            if count <= PANELS:
                for index, variant in enumerate(variants):
                    yield VariantPanel(index, variant.name)
        yield Summary(id="summary")
        yield VariantLines("\n" * (count - 1), id="lines")
        yield Line("\n\n\n", id="focused")
        yield ConsolePane(id="console")
        yield CoachLine(id="coach")
        keys = FooterState(variants=count, obeyed=self.context.obeyed, folds=count > 1)
        yield Footer(keys, id="footer")

    def on_mount(self) -> None:
        self._vital = self.query_one_optional(Summary), self.query_one_optional("#overlay")
        self.set_class(len(self.context.shown.settings.variants) > PANELS, "-many")
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """Import the drawing code, now that the first frame is shown."""
        self._has_begun = True
        self.tick()
        self.context.show_notes(list(self.context.shown.settings.notes))
        self.set_interval(self.context.frame_seconds, self._show_frame)
        self._eager = self.set_interval(
            1 / _EAGER_FPS, self._look_for_first_losses, repeat=_EAGER_SECONDS * _EAGER_FPS
        )
        # While the workers import torch, so that the first loss need not wait for it.
        self.run_worker(_preload, thread=True)

    def _look_for_first_losses(self) -> None:
        self.tick(if_new=True)
        if self.is_under_way:
            self._eager.stop()

    # --- What it shows and steers: imported after the first frame -------------------------------

    @cached_property
    def _connected(self) -> "tuple[Viewer, RunController]":
        return self.context.connect()

    @property
    def viewer(self) -> "Viewer":
        """The viewer of the run."""
        return self._connected[0]

    @property
    def controller(self) -> "RunController":
        """The way from keys to the run."""
        return self._connected[1]

    @cached_property
    def _painter(self) -> "Painter":
        from gdtui.screens.main.painter import Painter

        return Painter(self, self.viewer, self.context.budget)

    @property
    def is_under_way(self) -> bool:
        """True when every variant has its first loss, is paused, or has none still to come."""
        return self._has_begun and self.viewer.store.is_under_way

    @property
    def is_training(self) -> bool:
        """True while a variant trains, or may do so again once it is resumed."""
        return self._has_begun and not self.viewer.store.has_ended

    # --- Frames ---------------------------------------------------------------------------------

    def _show_frame(self) -> None:
        seconds, most = self.context.frame_seconds, self._painter.thrift.most_skipped
        self.tick(reads=not self.viewer.can_skip_read(seconds, most))

    def tick(self, *, figures: bool = False, reads: bool = True, if_new: bool = False) -> None:
        """Read new records, if `reads`, and repaint what has changed.

        Figures are repainted less often, or when asked. `if_new`: repaint only for a new record.
        """
        if any(each is None or each.parent is None for each in self._vital):
            return  # a last tick, while the screen is being removed
        before = self.viewer.versions.copy()
        if reads:
            self._read()
        self._owes_figures |= figures
        if if_new and not self._owes_figures and self.viewer.versions == before:
            return
        now = time.monotonic()
        if self._is_reading_on and not self._owes_figures and now - self._ticked_at < _PATIENCE:
            return
        self._ticked_at = now
        if not self.context.gate.begin_frame():
            return  # this frame is dropped; the next one shows its changes
        with painting(self):
            if self._painter.paint(figures=self._owes_figures):
                self._owes_figures = False
                self.figures_written()

    def _read(self) -> None:
        """Take in records and notices; notices are also shown in the bottom line."""
        from gdtui.view.text.screen_text import advised

        viewer = self.viewer
        before = len(viewer.store.states)
        viewer.read()
        if self._expects_variant and len(viewer.store.states) > before:
            self._expects_variant = False
            viewer.change(selected=len(viewer.store.states) - 1)
        if viewer.is_catching_up and not self._is_reading_on:
            self._is_reading_on = True
            self.set_timer(_BREATH_SECONDS, self._read_on)
        self._owes_figures |= viewer.take_news()
        self.context.show_notes(viewer.store.take_said())
        for notices in (
            viewer.source.notices(),
            [advised(notice, self.context.shown.path) for notice in self.controller.poll()],
        ):
            for text, severity in viewer.heed(notices).items():
                self.context.show_notes([text], severity)

    def _read_on(self) -> None:
        """Read the past of a long run between frames, too; keys get their turn after each part."""
        self.viewer.read()
        self._is_reading_on = self.viewer.is_catching_up
        if self._is_reading_on:
            if self.viewer.take_news():
                self.tick(figures=True, reads=False)
            self.set_timer(_BREATH_SECONDS, self._read_on)
        else:
            self.tick()

    def catch_up(self) -> None:
        """Draw the frame that was dropped while the terminal was busy."""
        if self._has_begun and self.context.gate.has_dropped:
            self.tick()

    def look(self, **options: Any) -> None:
        """Change these fields of the view, and show it."""
        self.viewer.change(**options)
        self.show_soon()

    def show_soon(self) -> None:
        """Show what a key has changed: at once or, in a flood of keys, with the next frame."""
        self._owes_figures = True
        if self._flood.may_show():
            self.tick()

    def glance(self) -> None:
        """Show a change that may occur many times per frame: at once, or with the next frame."""
        if time.monotonic() - self._ticked_at >= self.context.frame_seconds:
            self.tick()

    # --- Results --------------------------------------------------------------------------------

    def show_summary(self, wanted: bool | None) -> bool:
        """Show the results (True), hide them (False) or toggle (None); False if there are none."""
        summary, store = self.query_one(Summary), self.viewer.store
        summary.display = not summary.display if wanted is None else wanted
        has_none = summary.display and not store.has_results
        summary.display = summary.display and not has_none
        if summary.display:
            summary.show_results(store, is_ours=self.viewer.is_trainer)
        self._make_room_for_results(summary.display)
        return not has_none

    def _make_room_for_results(self, are_shown: bool) -> None:
        """Let the results take the place of the panels or lines, below the chart."""
        if self.has_class("-results") != are_shown:
            self.set_class(are_shown, "-results")
            self.call_after_refresh(self.tick, figures=True)  # in the space available then

    def on_resize(self) -> None:
        """Fit the results into the space available now."""
        if self.query(Summary) and self.query_one(Summary).display:
            self.show_summary(True)

    def hide_summary(self) -> bool:
        """Hide the results; False if they were not shown."""
        was_shown = self.query_one(Summary).display
        self.show_summary(False)
        return was_shown

    def figures_written(self) -> None:
        """Called after each update of the figures."""
        from gdtui.screens.main.footer_state import footer_state

        self.query_one(Footer).show_keys(footer_state(self.viewer, self.controller))
        self._watch_for_end()

    def _watch_for_end(self) -> None:
        """Show the results when the last variant ends, unless all failed; hide them afterwards."""
        store = self.viewer.store
        if store.has_ended != self._had_ended:
            self._had_ended = store.has_ended
            is_any_finished = any(one.tally.state is State.FINISHED for one in store.states)
            self.show_summary(store.has_ended and is_any_finished)
