"""The app: one screen on one run. A timer reads the logs and repaints; keys become commands.

Owns what this viewer chose to look at, and nothing else: what is shown comes from the run
directory, through the store. numpy and plotext are imported after the first frame.
"""

import asyncio
import gc
import os
import signal
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from rich.text import Text
from textual.app import App, ComposeResult, ScreenStackError
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.containers import Horizontal
from textual.driver import Driver

from engine.log.directory import RunDirectory
from gdtui.chart.widget.chart import Chart
from gdtui.explore_actions import ExploreActions
from gdtui.keys import table as keys
from gdtui.keys.script import Press, play
from gdtui.lab_actions import LabActions
from gdtui.look_actions import LookActions
from gdtui.measure_actions import MeasureActions
from gdtui.page_actions import PageActions
from gdtui.tell_actions import TellActions
from gdtui.terminal import partial_update
from gdtui.terminal.backpressure import Pacer
from gdtui.terminal.hangup import when_gone
from gdtui.theme import THEMES, colours, ink, themes
from gdtui.view.text import formatting
from gdtui.widgets.footer import Footer
from gdtui.widgets.line import Line
from gdtui.widgets.spread import Spread
from gdtui.widgets.summary import Summary
from gdtui.widgets.variant import VariantPanel

if TYPE_CHECKING:
    from textual.screen import Screen

    from engine.settings import VariantSettings
    from gdtui.control.commander import Controls
    from gdtui.live_view import LiveView
    from gdtui.state.record_source import RecordSource

PANELS: Final = 4
"""Variants that get a panel each; more get a line each."""
_CRASH_FILE: Final = "crash.txt"
_EAGER_FPS: Final = 30
"""Ticks a second until every variant has its first loss: that is waited for, and nothing moves yet."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Severity = Literal["information", "warning", "error"]


def _key_commands() -> type[Provider]:
    from gdtui.screens.palette import KeyCommands

    return KeyCommands


def _preload() -> None:
    """Import what draws; what is there from then on is no garbage, and is not looked through for any."""
    from gdtui.chart.drawing.frame import preload

    preload()
    gc.freeze()


class GdtuiApp(ExploreActions, LabActions, LookActions, PageActions, TellActions, MeasureActions, App[None]):
    """Three variants train live, side by side."""

    TITLE = "gdtui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.bindings(),
        Binding("ctrl+c", "leave(130)", "Quit", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", show=False, priority=True),
    ]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_key_commands}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (12, "-short"), (28, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        run: RunDirectory,
        controls: "Controls | None",
        *,
        fps: float = 10.0,
        theme: str = "dark",
        start: "Callable[[], Controls] | None" = None,
        source: "RecordSource | None" = None,
        keys: tuple[Press, ...] = (),
    ) -> None:
        """`controls` None: only watching, unless `start` makes them after the first frame.

        `source` None: the run's logs. `keys` play by themselves.
        """
        # Where no colour is wanted, Textual's own way is greys; with the terminal's colours it is none.
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") is not None else None)
        partial_update.install()
        self.run_directory = run
        self.controls = controls
        self.crash = ""
        """The message that says on which error of its own the app ended."""
        self._start = start
        self._source = source
        self._keys = keys
        self.frame_seconds = 1 / fps
        self.pacer = Pacer()
        """Whether the terminal keeps up: where it does not, frames are dropped."""
        for each in themes(self.console.color_system, no_color=self.no_color).values():
            self.register_theme(each)
        self.theme = THEMES[theme].name
        self._live: LiveView | None = None
        self._error_until = 0.0
        """When everybody has had the time to read the last error."""

    def refresh_css(self, animate: bool = True) -> None:
        """Before there is a screen, styles are parsed as they come: Textual would parse them once more."""
        try:
            self.screen  # noqa: B018  asked whether it is there
        except ScreenStackError:
            self.stylesheet.set_variables(self.get_css_variables())
            self.stylesheet.update(self, animate=animate)
        else:
            super().refresh_css(animate)

    def get_driver_class(self) -> type[Driver]:
        """Where Textual would take its driver for terminals, one that leaves a slow terminal no backlog."""
        usual = super().get_driver_class()
        if usual.__name__ != "LinuxDriver":
            return usual
        from gdtui.terminal.driver import PacedDriver

        return PacedDriver

    def compose(self) -> ComposeResult:
        variants = self.run_directory.info.settings.variants
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
        obeyed = None if self._source is None else self._source.obeyed
        yield Footer(len(variants), obeyed, id="footer")
        yield Summary(id="summary")

    def on_mount(self) -> None:
        """Signals end the app as q does, with the shell's exit status for them."""
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))  # `fg`: all was wiped
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.action_leave, 128 + number)
        if not self.is_headless:
            when_gone(0, lambda: loop.call_soon_threadsafe(self.action_leave, 128 + signal.SIGHUP))
        self.screen.set_class(len(self.run_directory.info.settings.variants) > PANELS, "-many")
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """After the first frame: only now what draws is imported."""
        self.live.tick()
        self.say(list(self.run_directory.info.settings.notes))
        self.set_interval(self.frame_seconds, self.live.tick)
        self._eager = self.set_interval(1 / _EAGER_FPS, self._look_for_first_losses)

        # While the workers import torch, so that the first loss need not wait for it.
        self.run_worker(_preload, thread=True)
        if self._keys:
            self.run_worker(play(self, self._keys, lambda: self.live.store.is_under_way))

    def _look_for_first_losses(self) -> None:
        self.live.tick()
        if self.live.store.is_under_way:
            self._eager.stop()

    def on_cursor_position(self) -> None:
        """The terminal has taken in the last frame."""
        if self._live is not None:
            self._live.catch_up()

    @property
    def live(self) -> "LiveView":
        """What is read and drawn; made when first asked for."""
        if self._live is None:
            if self._start is not None:
                self.controls = self._start()
            from gdtui.live_view import LiveView

            self._live = LiveView(self)
        return self._live

    @property
    def source(self) -> "RecordSource":
        """Where the records come from."""
        if self._source is None:
            from gdtui.state.record_source import LogSource

            self._source = LogSource(self.run_directory)
        return self._source

    # --- Keys: what is chosen -------------------------------------------------------------------

    def action_select(self, place: int) -> None:
        """One variant, or all of them (0)."""
        if place > len(self.live.store.states):
            self.say([f"there is no variant {place}"])
            return
        self.live.look(selected=place - 1 if place else None)

    def action_edit(self) -> None:
        """A form for exact values."""
        from gdtui.screens.edit import EditScreen

        if self.controls is None:
            self.say([self.live.commander.refusal])
            return
        self.push_screen(EditScreen(self.live.chosen), self._edited)

    def _edited(self, settings: "dict[str, VariantSettings] | None") -> None:
        if settings:
            self.tell(self.live.commander.apply(settings))

    # --- Keys: view and program -----------------------------------------------------------------

    def action_theme(self) -> None:
        if self.no_color:
            self.say(["NO_COLOR is set: every theme is the terminal's own two colours"])
            return
        names = [theme.name for theme in THEMES.values()]
        self.theme = names[(names.index(self.theme) + 1) % len(names)]
        self.live.look(colours=colours(self.current_theme), ink=ink(self.current_theme))

    def action_stills(self) -> None:
        """What is on screen, and the selected chart, as files."""
        from gdtui.export.screenshot import StillsError, save

        try:
            self.say([save(self)])
        except StillsError as error:
            self.say([str(error)], "error")

    def lay(self, screen: "Screen[None]") -> None:
        """A screen to be read, over the one below; training goes on."""
        self.push_screen(screen)

    # --- The end --------------------------------------------------------------------------------

    def action_leave(self, status: int) -> None:
        """End at once with this exit status."""
        self.exit(return_code=status)

    def _fatal_error(self) -> None:
        """Textual's hook for an exception nobody caught: it would print the whole of it, with locals.

        Here the traceback goes to a file of the run, and the terminal gets one message.
        """
        report = self.run_directory.path / _CRASH_FILE
        said = traceback.format_exc()
        try:
            with report.open("a", encoding="utf-8") as file:
                file.write(said)
            where = f"The traceback is in {report}"
        except OSError:
            where = said
        what = said.strip().splitlines()[-1]
        self.crash = f"gdtui stopped on an error of its own: {what}\nWhat was trained is kept. {where}"
        self.panic(Text(self.crash))

    def say(self, notes: list[str], severity: Severity = "information") -> None:
        """Notes in the bottom line, for as long as it takes to read them; errors wait for no other note."""
        if notes and time.monotonic() > self._error_until:
            self.clear_notifications()
        for note in notes:
            seconds = max(8 if severity == "error" else 3, formatting.reading_seconds(note))
            self.notify(note, severity=severity, timeout=seconds, markup=False)
            if severity == "error":
                self._error_until = time.monotonic() + seconds
