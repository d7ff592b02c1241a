"""One variant: its settings, its raw losses, its figures.

Shows what the store says, and owns no state.
"""

from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from gdtui.chart.scene.palette import COLOURS
from gdtui.chart.widget.chart import Chart
from gdtui.widgets.line import Line
from gdtui.widgets.spread import Spread
from gdtui.widgets.variant_lines import VariantChosen

_BROAD: Final = 46
"""Minimum width in cells for the spread to fit beside the chart."""


class VariantPanel(Vertical):
    """A box in the variant's colour."""

    def __init__(self, index: int, name: str) -> None:
        super().__init__(id=f"panel-{index}", classes=f"panel -variant-{index % COLOURS + 1}")
        self._index = index
        self._heading = f"{index + 1} {name}"
        self.border_title = Content(self._heading)
        self.settings = Line(classes="settings")
        self.chart = Chart(classes="raw")
        self.spread = Spread(classes="spread")
        """Place the spread beside the chart, on its y axis, if there is room."""
        self.figures = Line(classes="figures")
        self._state = ("", "")

    def compose(self) -> ComposeResult:
        yield self.settings
        with Horizontal():
            yield self.chart
            yield self.spread
        yield self.figures

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= _BROAD, "-broad")

    def on_click(self) -> None:
        self.post_message(VariantChosen(self._index))

    def show_heading(self, name: str, steps: int, *, is_selected: bool) -> None:
        """Mark the selected panel; say if the chart draws batches and an update takes several.

        `name`: with its number, and with what the variant is now where it says something else.
        """
        told = f" · every batch, {steps} per update" if steps > 1 else ""
        heading = f"{'▸ ' if is_selected else ''}{name}{told}"
        if heading != self._heading:
            self._heading = heading
            self.border_title = Content(heading)

    def show_state(self, word: str, style: str) -> None:
        """Put the state in the box's lower border."""
        if (word, style) != self._state:
            self._state = word, style
            self.border_subtitle = Content.styled(word, style)
