"""Keeps the main screen's widgets up to date: a timer reads records and repaints changes.

Knows no key. What is shown comes out of the store, through the viewer. numpy and plotext are
imported after the first frame.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.notifications import SeverityLevel
from textual.screen import Screen

from gdtui.chart.widget.chart import Chart
from gdtui.keys.flood import KeyFlood
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.terminal.frame_gate import FrameGate
from gdtui.widgets.footer import Footer
from gdtui.widgets.line import Line
from gdtui.widgets.spread import Spread
from gdtui.widgets.summary import Summary
from gdtui.widgets.variant import VariantPanel

if TYPE_CHECKING:
    from gdtui.control.run_controller import RunController
    from gdtui.control.viewer import Viewer
    from gdtui.screens.main.painter import Painter

PANELS: Final = 4
"""Variants that get a panel each; more get a line each."""
_EAGER_FPS: Final = 30
"""Ticks a second until every variant has its first loss: that is waited for, and nothing moves yet.
"""
_EAGER_SECONDS: Final = 30
"""The longest wait of that kind: an arm of a sweep may begin much later."""


class ShowNotes(Protocol):
    """Shows notes to the user for as long as it takes to read them."""

    def __call__(self, notes: list[str], severity: SeverityLevel = "information") -> None: ...


def _preload() -> None:
    """Import what draws, and freeze it: the garbage collector need not look through it."""
    from gdtui.chart.drawing.frame import preload

    preload()
    gc.freeze()


@dataclass(frozen=True, slots=True)
class Context:
    """The program around the main screen: what it is given, and whom it tells."""

    shown: ShownRuns
    connect: "Callable[[], tuple[Viewer, RunController]]"
    """Begins the run, or watching it. Called once, after the first frame."""
    show_notes: ShowNotes
    obeyed: frozenset[str] | None
    """Ids of the commands that have an effect; None: all."""
    frame_seconds: float
    gate: FrameGate


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

    def compose(self) -> ComposeResult:
        variants = self.context.shown.settings.variants
        yield Line(id="header")
        with Horizontal(id="top"):
            yield Chart(title="loss", message="importing torch…", id="overlay")
            yield Spread(id="spread")
        with Horizontal(id="panels"):
            if len(variants) <= PANELS:
                for index, variant in enumerate(variants):
                    yield VariantPanel(index, variant.name)
        yield Line("\n" * (len(variants) - 1), id="lines")
        yield Line("\n\n\n", id="focused")
        yield Footer(len(variants), self.context.obeyed, id="footer")
        yield Summary(id="summary")

    def on_mount(self) -> None:
        self.set_class(len(self.context.shown.settings.variants) > PANELS, "-many")
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """After the first frame: only now what draws is imported."""
        self._has_begun = True
        self.tick()
        self.context.show_notes(list(self.context.shown.settings.notes))
        self.set_interval(self.context.frame_seconds, self.tick)
        self._eager = self.set_interval(
            1 / _EAGER_FPS, self._look_for_first_losses, repeat=_EAGER_SECONDS * _EAGER_FPS
        )

        # While the workers import torch, so that the first loss need not wait for it.
        self.run_worker(_preload, thread=True)

    def _look_for_first_losses(self) -> None:
        self.tick()
        if self.is_under_way:
            self._eager.stop()

    # --- What it shows and steers: imported after the first frame -------------------------------

    @cached_property
    def _connected(self) -> "tuple[Viewer, RunController]":
        return self.context.connect()

    @property
    def viewer(self) -> "Viewer":
        """The run as it is looked at here."""
        return self._connected[0]

    @property
    def controller(self) -> "RunController":
        """The way from keys to the run."""
        return self._connected[1]

    @cached_property
    def _painter(self) -> "Painter":
        from gdtui.screens.main.painter import Painter

        return Painter(self, self.viewer)

    @property
    def is_under_way(self) -> bool:
        """Every variant has its first loss, or none is still to come."""
        return self._has_begun and self.viewer.store.is_under_way

    # --- Frames ---------------------------------------------------------------------------------

    def tick(self, *, figures: bool = False) -> None:
        """Read what is new and repaint what it changes.

        Figures only now and then, or when asked.
        """
        if self.query_one_optional(Summary) is None or self.query_one_optional("#overlay") is None:
            return  # a last tick, while the screen is taken down
        self._read()
        self._ticked_at = time.monotonic()
        self._owes_figures |= figures
        if not self.context.gate.begin_frame():
            return  # this frame is dropped; what it would have shown, the next one shows
        with self.app.batch_update():
            if self._painter.paint(figures=self._owes_figures):
                self._owes_figures = False
                self._watch_for_end()

    def _read(self) -> None:
        """Take in records and notices; these are shown in the bottom line, too."""
        from gdtui.view.text.screen_text import advised

        viewer = self.viewer
        viewer.read()
        self.context.show_notes(viewer.store.take_said())
        for notices in (
            viewer.source.notices(),
            [advised(notice, self.context.shown.path) for notice in self.controller.poll()],
        ):
            for text, severity in viewer.heed(notices).items():
                self.context.show_notes([text], severity)

    def catch_up(self) -> None:
        """Draw the frame that was dropped while the terminal was busy."""
        if self._has_begun and self.context.gate.has_dropped:
            self.tick()

    def look(self, **options: Any) -> None:
        """Change these fields of the view, and show it."""
        self.viewer.change(**options)
        self.show_soon()

    def show_soon(self) -> None:
        """Show what a key has changed: at once, or in a flood of keys with the next frame."""
        self._owes_figures = True
        if self._flood.may_show():
            self.tick()

    def glance(self) -> None:
        """Show what may change many times a frame: at once, or else with the next frame."""
        if time.monotonic() - self._ticked_at >= self.context.frame_seconds:
            self.tick()

    # --- Results --------------------------------------------------------------------------------

    def show_summary(self, wanted: bool | None) -> bool:
        """Show the results (True), hide them, or the other way round (None).

        False: there are none.
        """
        summary, store = self.query_one(Summary), self.viewer.store
        summary.display = not summary.display if wanted is None else wanted
        if summary.display and not store.has_results:
            summary.display = False
            return False
        if summary.display:
            summary.show_results(store, is_ours=self.viewer.is_trainer)
        return True

    def on_resize(self) -> None:
        """Fit the results into the room that there is now."""
        if self.query(Summary) and self.query_one(Summary).display:
            self.show_summary(True)

    def hide_summary(self) -> bool:
        """Hide the results; False: they were not shown."""
        was_shown = self.query_one(Summary).display
        self.show_summary(False)
        return was_shown

    def _watch_for_end(self) -> None:
        """The results come up when the last variant ends, and go when training goes on."""
        has_ended = self.viewer.store.has_ended
        if has_ended != self._had_ended:
            self._had_ended = has_ended
            self.show_summary(has_ended)
