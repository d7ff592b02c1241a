"""A screen for work beside the run: starts it, shows its progress, then its result.

Closing the screen does not end the work, which is shown again when the screen is reopened.
"""

from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.jobs.messages import Failure
from gdtui.control.lab import Lab, Work
from gdtui.state.store import Store
from gdtui.view.text import lab_text
from gdtui.widgets.line import as_content

_FRAME: Final = 8
"""Cells of borders, padding and scroll bar."""
_LEAST: Final = 40
"""Minimum width in cells to which a text is wrapped."""
_ALL: Final = 100_000
"""Lines, more than any text has."""


class LabScreen(ModalScreen[None]):
    """Subclasses say what can be run, and how its result is displayed."""

    NAME: ClassVar[str]
    ON_THREAD: ClassVar[bool] = False
    """True if the work starts processes itself, and so runs on a thread of this process."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", show=False),
        Binding("enter", "run(False)", "Run", show=False),
        Binding("r", "run(True)", "Run again", show=False),
        Binding("c", "cancel", "Cancel", show=False),
        Binding("q", "app.leave(0)", "Quit", show=False),
        Binding("question_mark", "app.help", "Help", show=False),
        Binding("pagedown", "scroll(0, 10)", show=False),
        Binding("pageup", "scroll(0, -10)", show=False),
        Binding("home", f"scroll(0, -{_ALL})", show=False),
        Binding("end", f"scroll(0, {_ALL})", show=False),
        Binding("left", "scroll(-10, 0)", show=False),
        Binding("right", "scroll(10, 0)", show=False),
    ]

    def __init__(self, lab: Lab, store: Store) -> None:
        super().__init__()
        self.lab, self.store = lab, store
        self._shown: tuple[Content, Content] | None = None

    # --- What subclasses say --------------------------------------------------------------------

    @property
    def subject(self) -> str:
        """The name of the work that `enter` runs."""
        raise NotImplementedError

    def work(self) -> Work:
        """The work with that name."""
        raise NotImplementedError

    def above(self) -> Content:
        """The widget to choose the work with."""
        raise NotImplementedError

    def before(self) -> Content:
        """The text shown in place of a result before the work has been run."""
        raise NotImplementedError

    def result(self, found: Any, width: int) -> Content:
        """The result as text."""
        raise NotImplementedError

    def so_far(self, found: Any, width: int) -> Content:
        """The result so far as text, while the work is running."""
        raise NotImplementedError

    def keys(self) -> str:
        """The keys that have an effect now, besides closing."""
        raise NotImplementedError

    # --- The screen -----------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with Vertical(id="lab") as box:
            box.border_title = self.NAME
            yield Static(id="lab-above")
            with VerticalScroll(id="lab-below", can_focus=False):  # the keys are the screen's
                yield Static(id="lab-text")

    def on_mount(self) -> None:
        self.show()

    def on_resize(self) -> None:
        self.show()

    @property
    def _runs(self) -> bool:
        """The work that `enter` would run is running."""
        return self.lab.name == self.subject

    def show(self) -> None:
        """Show the current state; unchanged text is not laid out again."""
        if self.query_one_optional("#lab-text") is None:
            return  # not composed yet, or being removed
        shown = self.above(), self._below()
        self.query_one("#lab").border_subtitle = Content(f"{self.keys()} · esc closes")
        if shown != self._shown:
            self._shown = shown
            for name, text in zip(("#lab-above", "#lab-text"), shown, strict=True):
                self.query_one(name, Static).update(text)
            shows_so_far = self._runs and self.lab.partial is not None
            self.query_one("#lab-text").set_class(self.has_result or shows_so_far, "-as-it-is")

    @property
    def width(self) -> int:
        """Cells of a line of text."""
        return max(self.app.size.width - _FRAME, _LEAST)

    def _progress(self) -> Content:
        progress = lab_text.LabProgress(
            name=self.lab.name,
            share=self.lab.progress.fraction,
            doing=self.lab.progress.activity,
            seconds=self.lab.seconds,
            holds_training=self.lab.holds,
        )
        return as_content(lab_text.progress(progress, self.store, self.width))

    def _below(self) -> Content:
        end = self.lab.ends.get(self.subject)
        if self._runs:
            text = self._progress()
            so_far = self.lab.partial
            return (
                text if so_far is None else text + Content("\n\n") + self.so_far(so_far, self.width)
            )
        if isinstance(end, Failure):
            text = as_content(lab_text.failure(end))
        elif end is not None:
            text = self.result(end.value, self.width)
        else:
            text = self.before()
        if self.lab.name:
            text = self._progress() + Content("\n\n") + text
        return text

    # --- Keys -----------------------------------------------------------------------------------

    def action_run(self, again: bool) -> None:
        """Start the work, if it has no result yet or if it is to be repeated."""
        if not again and self.has_result:
            return
        if not self.lab.run(self.subject, self.work(), on_thread=self.ON_THREAD):
            self.app.notify(f"one at a time: {self.lab.name} is still running; c cancels it")
        self.show()

    @property
    def has_result(self) -> bool:
        """The work that `enter` ran has a result."""
        return self.subject in self.lab.ends and not isinstance(
            self.lab.ends[self.subject], Failure
        )

    def action_cancel(self) -> None:
        """Cancel the running work."""
        if self.lab.name:
            self.app.notify(f"{self.lab.name} cancelled")
            self.lab.cancel()
            self.show()

    def action_scroll(self, columns: int, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(columns, lines, animate=False)
