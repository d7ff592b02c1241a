"""One variant: its settings, its raw losses, its figures. Shows what the store says, keeps no truth."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from gdtui.chart.widget import Chart
from gdtui.panels.line import Line
from gdtui.theme import COLOURS


class VariantPanel(Vertical):
    """A box in the variant's colour."""

    def __init__(self, index: int, name: str) -> None:
        super().__init__(id=f"panel-{index}", classes=f"panel -variant-{index % COLOURS + 1}")
        self.border_title = Content(f"{index + 1} {name}")
        self.settings = Line(classes="settings")
        self.chart = Chart(message="importing torch…", classes="raw")
        self.figures = Line(classes="figures")
        self._state = ("", "")

    def compose(self) -> ComposeResult:
        yield self.settings
        yield self.chart
        yield self.figures

    def say_state(self, word: str, style: str) -> None:
        """Put the state in the box's lower border."""
        if (word, style) != self._state:
            self._state = word, style
            self.border_subtitle = Content.styled(word, style)
