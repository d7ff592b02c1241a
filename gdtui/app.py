"""The app: one screen on one run. A timer reads the logs and repaints; keys become commands.

Owns what this viewer chose to look at, and nothing else: what is shown comes from the run
directory, through the store. numpy and plotext are imported after the first frame.
"""

import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from engine.rundir import RunDirectory
from gdtui import keys
from gdtui.chart.widget import Chart
from gdtui.panels.footer import Footer
from gdtui.panels.line import Line
from gdtui.panels.variant import VariantPanel
from gdtui.theme import THEMES

if TYPE_CHECKING:
    from gdtui.commander import Controls
    from gdtui.live_view import LiveView

PANELS: Final = 4
"""Variants that get a panel each; more get a line each."""


class GdtuiApp(App[None]):
    """Three variants train live, side by side."""

    TITLE = "gdtui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.bindings(),
        Binding("ctrl+c", "leave(130)", "Quit", show=False, priority=True),
    ]
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]]] = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS: ClassVar[list[tuple[int, str]]] = [(0, "-low"), (12, "-short"), (28, "-tall")]

    def __init__(
        self, run: RunDirectory, controls: "Controls | None", *, fps: float = 10.0, theme: str = "dark"
    ) -> None:
        """`controls` None: only watching."""
        super().__init__()
        self.run_directory = run
        self.controls = controls
        self._fps = fps
        for each in THEMES.values():
            self.register_theme(each)
        self.theme = THEMES[theme].name
        self._live: LiveView | None = None
        self.crash_report: Path | None = None

    def compose(self) -> ComposeResult:
        variants = self.run_directory.info.settings.variants
        yield Line(id="header")
        yield Chart(title="loss", message="importing torch…", id="overlay")
        with Horizontal(id="panels"):
            if len(variants) <= PANELS:
                for index, variant in enumerate(variants):
                    yield VariantPanel(index, variant.name)
        yield Line(id="lines")
        yield Footer(id="footer")

    def on_mount(self) -> None:
        self.screen.set_class(len(self.run_directory.info.settings.variants) > PANELS, "-many")
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """After the first frame: only now what draws is imported."""
        self.live.tick()
        self.set_interval(1 / self._fps, self.live.tick)

    @property
    def live(self) -> "LiveView":
        """What is read and drawn; made when first asked for."""
        if self._live is None:
            from gdtui.live_view import LiveView

            self._live = LiveView(self)
        return self._live

    # --- Keys: settings -------------------------------------------------------------------------

    def action_select(self, place: int) -> None:
        """One variant, or all of them (0)."""
        if place > len(self.live.store.states):
            self.say([f"there is no variant {place}"])
            return
        self.live.look(selected=place - 1 if place else None)

    def action_batch(self, step: int) -> None:
        self._told(self.live.commander.batch(self.live.chosen, step))

    def action_lr(self, step: int) -> None:
        self._told(self.live.commander.lr(self.live.chosen, step))

    def action_accumulation(self, step: int) -> None:
        self._told(self.live.commander.accumulation(self.live.chosen, step))

    def action_momentum(self) -> None:
        self._told(self.live.commander.momentum(self.live.chosen))

    def action_restart(self) -> None:
        self._told(self.live.commander.restart(self.live.chosen))

    def action_scaling(self, restart: bool) -> None:
        self._told(self.live.commander.scaling(restart))

    # --- Keys: going on -------------------------------------------------------------------------

    def action_pause(self) -> None:
        self._told(self.live.commander.pause())

    def action_step(self) -> None:
        self._told(self.live.commander.step(self.live.chosen))

    def action_extend(self) -> None:
        self._told(self.live.commander.extend())

    def action_pace(self, step: int) -> None:
        self._told(self.live.commander.pace(step))

    def action_free(self) -> None:
        self._told(self.live.commander.free())

    # --- Keys: view and program -----------------------------------------------------------------

    def action_axis(self) -> None:
        axes = list(type(self.live.view.axis))
        self.live.look(axis=axes[(axes.index(self.live.view.axis) + 1) % len(axes)])

    def action_log(self) -> None:
        self.live.look(log=not self.live.view.log)

    def action_theme(self) -> None:
        dark, light = THEMES["dark"].name, THEMES["light"].name
        self.theme = light if self.theme == dark else dark
        self.live.look(dark=self.theme == dark)

    def action_leave(self, status: int) -> None:
        """End at once with this exit status."""
        self.exit(return_code=status)

    def _told(self, notes: list[str]) -> None:
        """After a command: say what is to be said, and show it as pending at once."""
        self.say(notes)
        self.live.tick(figures=True)

    def say(self, notes: list[str], severity: str = "information") -> None:
        """Notes in the corner, for a few seconds."""
        for note in notes:
            self.notify(note, severity=severity, timeout=4, markup=False)  # type: ignore[arg-type]
