"""The program around its screens: themes, driver, signals, notes, key scripts and its end.

Creates the main screen, which shows and controls the run. numpy and plotext are imported after the
first frame.
"""

import asyncio
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.text import Text
from textual.app import App, ScreenStackError, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.driver import Driver
from textual.events import Event, Key, Resize
from textual.notifications import SeverityLevel
from textual.screen import Screen

from engine.log.directory import RunDirectory
from engine.log.filesystem.safe_open import opened
from engine.settings.text import clean, clean_lines
from gdtui.keys.flood import KeyFlood
from gdtui.keys.script import Press, play
from gdtui.keys.table import reachable
from gdtui.lesson.course.guide import Guide
from gdtui.screens.main.live import Context
from gdtui.screens.main.screen import MainScreen
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.terminal import partial_update
from gdtui.terminal.budget import DrawingBudget
from gdtui.terminal.frame_gate import FrameGate
from gdtui.terminal.hangup import when_gone
from gdtui.theme import THEMES, colours, ink, themes
from gdtui.view.text import formatting

if TYPE_CHECKING:
    from gdtui.control.controls import Controls
    from gdtui.control.lab import Holder, Lab
    from gdtui.control.run_controller import RunController
    from gdtui.control.viewer import Viewer
    from gdtui.screens.leaving import Leaving
    from gdtui.state.record_source import RecordSource

INTERNAL_ERROR: Final = "gdtui stopped on an internal error"
_CRASH_FILE: Final = "crash.txt"
_LATE_SECONDS: Final = 0.2
"""Seconds after which the newest note of a flood is shown."""
_REST_SECONDS: Final = 0.02
"""Seconds that keys may take up without a frame in between."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _key_commands() -> type[Provider]:
    from gdtui.screens.command_palette import KeyCommands

    return KeyCommands


class GdtuiApp(App[None]):
    """The app, in which variants train live, side by side."""

    TITLE = "gdtui"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "leave(130)", "Quit", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", show=False, priority=True),
    ]
    HAS_TERMINAL: ClassVar[bool] = True
    """The app ends when the terminal at stdin hangs up, and draws within a budget of time."""
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_key_commands}

    def __init__(
        self,
        run: RunDirectory | ShownRuns,
        controls: "Controls | None",
        *,
        fps: float = 10.0,
        theme: str = "dark",
        start: "Callable[[], tuple[Controls, RecordSource | None]] | None" = None,
        source: "RecordSource | None" = None,
        keys: tuple[Press, ...] = (),
        make_lab: "Callable[[Holder], Lab] | None" = None,
        guide: Guide | None = None,
        leaving: "Leaving | None" = None,
    ) -> None:
        """`run`: a run, or several overlaid, which need a `source` and are only watched.

        `controls` None: the run is only watched, unless `start` makes them after the first frame,
        and the source with them.
        `source` None: the run's logs. `keys` play by themselves. `make_lab` None makes a Lab whose
        work runs in processes. `guide` None: G begins the lesson. `leaving` None: no question.
        """
        # Without colour, Textual would use greys; with the terminal's colours it uses none.
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") is not None else None)
        partial_update.install()
        self.crash = ""
        """The message about the internal error that the app ended on."""
        self._shown = ShownRuns.of(run) if isinstance(run, RunDirectory) else run
        self._source, self._controls, self._start = source, controls, start
        self._keys, self._leaving = keys, leaving
        self.frame_gate = FrameGate()
        """Drops frames while the terminal cannot keep up."""
        self._use_themes(theme)
        self._errors: dict[str, float] = {}
        """The errors on screen, and the time by which each can have been read."""
        self._late_notes: list[str] = []
        self._flood, self._rested_at = KeyFlood(), 0.0
        self._guide = guide or Guide()
        self.main = MainScreen(self._around(1 / fps), make_lab)

    def _around(self, frame_seconds: float) -> Context:
        """The program around the main screen."""
        obeyed = None if self._source is None else self._source.obeyed
        budget = DrawingBudget(frame_seconds) if self.HAS_TERMINAL else None
        return Context(
            self._shown, self._connect, self.show_notes, obeyed, frame_seconds=frame_seconds,
            gate=self.frame_gate, budget=budget, guide=self._guide,
        )  # fmt: skip

    def _use_themes(self, first: str) -> None:
        """Register our themes, in the colours that the terminal has, and begin with this one."""
        for each in themes(self.console.color_system, no_color=self.no_color).values():
            self.register_theme(each)
        self.theme = THEMES[first].name

    def get_default_screen(self) -> Screen[None]:
        """The main screen, at the bottom of all others."""
        return self.main

    def _connect(self) -> "tuple[Viewer, RunController]":
        """Begin the run, or begin to watch it."""
        if self._start is not None:
            self._controls, self._source = self._start()
        from gdtui.control.connect import connect
        from gdtui.view.view_state import ViewState

        view = ViewState(colours=colours(self.current_theme), ink=ink(self.current_theme))
        return connect(self._shown, self._source, self._controls, view)

    def refresh_css(self, animate: bool = True) -> None:
        """Parse styles as they come until there is a screen, or Textual would parse them twice."""
        try:
            self.screen  # noqa: B018  checks that it exists
        except ScreenStackError:
            self.stylesheet.set_variables(self.get_css_variables())
            self.stylesheet.update(self, animate=animate)
        else:
            super().refresh_css(animate)

    def get_driver_class(self) -> type[Driver]:
        """A driver that builds up no backlog on a slow terminal, in place of Textual's."""
        usual = super().get_driver_class()
        if usual.__name__ != "LinuxDriver":
            return usual
        from gdtui.terminal.driver import GatedDriver

        return GatedDriver

    def on_mount(self) -> None:
        """Signals end the app as q does, with the shell's exit status for them."""
        # `fg`: the screen was cleared
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.action_leave, 128 + number)
        if self.HAS_TERMINAL and not self.is_headless:
            when_gone(0, lambda: loop.call_soon_threadsafe(self.action_leave, 128 + signal.SIGHUP))
        if self._keys:
            self.run_worker(play(self, self._keys, lambda: self.main.is_under_way))

    def on_cursor_position(self) -> None:
        """The terminal has taken in the last frame."""
        self.main.catch_up()

    @property
    def _front(self) -> MainScreen:
        """The run on top: the main screen's, or another one that a step of the lesson opened."""
        stack = reversed(self.screen_stack)
        return next((each for each in stack if isinstance(each, MainScreen)), self.main)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette: every key of the table, on the main screen or the app."""
        for entry, stroke in reachable(len(self._shown.settings.variants)):
            if entry.id != "palette":
                action = partial(self.run_action, stroke.action, self._front)
                yield SystemCommand(stroke.title, stroke.shown, action)

    async def on_event(self, event: Event) -> None:
        """Repaint after a resize and back; let other tasks run now and then in a flood of keys."""
        await super().on_event(event)
        if isinstance(event, Resize) and event.size in [top.size for top in self.screen_stack[-1:]]:
            self.refresh(layout=True)  # at a smaller size in between, the terminal lost some of it
        if isinstance(event, Key) and time.monotonic() - self._rested_at > _REST_SECONDS:
            await asyncio.sleep(0)
            self._rested_at = time.monotonic()

    # --- Keys that act on every screen ----------------------------------------------------------

    def action_help(self) -> None:
        from gdtui.screens.pages.help import HelpScreen

        self.push_screen(HelpScreen())

    def action_theme(self) -> None:
        if self.no_color:
            self.show_notes(["NO_COLOR is set: every theme is the terminal's own two colours"])
            return
        names = [theme.name for theme in THEMES.values()]
        self.theme = names[(names.index(self.theme) + 1) % len(names)]
        for screen in self.screen_stack:
            if isinstance(screen, MainScreen):
                screen.look(colours=colours(self.current_theme), ink=ink(self.current_theme))

    def show_notes(self, notes: list[str], severity: SeverityLevel = "information") -> None:
        """Notes in the bottom line, for as long as it takes to read them.

        Errors do not wait, and are shown once; an empty list of them removes those on screen.
        """
        if severity == "error":
            self._show_errors(notes)
        elif notes and self._flood.may_show():
            self._late_notes = []
            self._show_information(notes)
        elif notes:
            if not self._late_notes:
                self.set_timer(_LATE_SECONDS, self._show_late_notes)
            self._late_notes = notes

    def _show_late_notes(self) -> None:
        notes, self._late_notes = self._late_notes, []
        self._show_information(notes)

    def _show_information(self, notes: list[str]) -> None:
        if notes and time.monotonic() > max(self._errors.values(), default=0.0):
            self.clear_notifications()
        for note in notes:
            seconds = max(3, formatting.reading_seconds(note))
            self.notify(note, timeout=seconds)

    def _show_errors(self, notes: list[str]) -> None:
        now = time.monotonic()
        self._errors = {text: end for text, end in self._errors.items() if notes and end > now}
        if not self._errors:
            self.clear_notifications()
        for note in notes:
            if note not in self._errors:
                seconds = max(8, formatting.reading_seconds(note))
                self.notify(note, severity="error", timeout=seconds)
                self._errors[note] = now + seconds

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a note; names and paths in it act neither as markup nor as terminal commands."""
        super().notify(
            clean(message), title=title, severity=severity, timeout=timeout, markup=markup
        )

    def action_leave(self, status: int, detaches: bool = False) -> None:
        """End with this exit status; ask first if that would end hours of work."""
        if self._leaving is not None:
            self._leaving.leave(self, status, self.main.is_training, detaches)
        elif not detaches or (self._start is None and self._controls is None):
            self.exit(return_code=status)  # there is nothing that it could leave behind

    def _fatal_error(self) -> None:
        """Textual's hook for an uncaught exception, which would print all of it, with locals.

        Here the traceback goes to a file of the run, and the terminal gets one message.
        """
        report = self._shown.path / _CRASH_FILE
        said = traceback.format_exc()
        try:
            with opened(report, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as file:
                file.write(said.encode(errors="backslashreplace"))
            where = f"The traceback is in {report}"
        except OSError:
            where = said
        what = said.strip().splitlines()[-1]
        self.crash = clean_lines(f"{INTERNAL_ERROR}: {what}\nWhat was trained is kept. {where}")
        self.panic(Text(self.crash))

    def close_lab(self) -> None:
        """End the work beside the run. Called by the code that ran the app, however that ended."""
        self.main.close_lab()
