"""A text over the main screen that can be scrolled, and is kept up to date during training."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

_SECONDS: Final = 1.0
"""Seconds between two updates of the figures."""


class Page(ModalScreen[None]):
    """Subclasses provide the text."""

    NAME: ClassVar[str]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "dismiss", "Close", show=False),
        Binding("q", "app.leave(0)", "Quit", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="page") as box:
            box.border_title = self.NAME
            box.border_subtitle = "↑ ↓ scroll · esc closes · q quits"
            yield Static(self.content())

    def content(self) -> Content:
        """The whole text, up to date."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.set_interval(_SECONDS, self._renew)

    def _renew(self) -> None:
        self.query_one(Static).update(self.content())

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def heading(text: str) -> Content:
    return Content.styled(text, "bold $primary")
