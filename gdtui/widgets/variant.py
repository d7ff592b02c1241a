"""One variant: its settings, its raw losses, its figures.

Shows what the store says, and owns no state.
"""

import contextlib
from collections.abc import Iterator
from typing import Final, Self

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Offset, Region, Size

from gdtui.chart.scene.palette import COLOURS
from gdtui.chart.widget.chart import Chart
from gdtui.widgets.line import Line
from gdtui.widgets.spread import Spread
from gdtui.widgets.variant_lines import VariantChosen

_BROAD: Final = 46
"""Minimum width in cells for the spread to fit beside the chart."""


class VariantPanel(Vertical):
    """A box in the variant's colour."""

    _is_border_alone = False
    """True while something changes that only the border shows."""

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

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Repaint; what only the border shows costs no more than the border."""
        if self._is_border_alone and not (regions or layout or recompose):
            regions = _edges(self.outer_size, self.content_offset)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    @contextlib.contextmanager
    def _border_alone(self) -> Iterator[None]:
        self._is_border_alone = True
        try:
            yield
        finally:
            self._is_border_alone = False

    def show_hue(self, hue: int) -> None:
        """Take the colour at this place of the palette."""
        name = f"-variant-{hue % COLOURS + 1}"
        if not self.has_class(name):
            self.set_class(False, *(f"-variant-{place}" for place in range(1, COLOURS + 1)))
            self.add_class(name)

    def show_selection(self, is_selected: bool) -> None:
        """Mark the panel if it is selected."""
        if self.has_class("-selected") == is_selected:
            return
        # Textual's own update of classes would repaint all that is in the panel, which took a
        # second over a slow link.
        self.set_class(is_selected, "-selected", update=False)
        with self._border_alone():
            self.app.stylesheet.apply(self)

    def show_heading(self, name: str, steps: int, *, is_selected: bool) -> None:
        """Mark the selected panel; say if the chart draws batches and an update takes several.

        `name`: with its number, and with what the variant is now where it says something else.
        """
        told = f" · every batch, {steps} per update" if steps > 1 else ""
        heading = f"{'▸ ' if is_selected else ''}{name}{told}"
        if heading != self._heading:
            self._heading = heading
            with self._border_alone():
                self.border_title = Content(heading)

    def show_state(self, word: str, style: str) -> None:
        """Put the state in the box's lower border."""
        if (word, style) != self._state:
            self._state = word, style
            with self._border_alone():
                self.border_subtitle = Content.styled(word, style)


def _edges(size: Size, offset: Offset) -> tuple[Region, ...]:
    """The border of a widget of this size, relative to its content, which is at `offset`."""
    width, height = size
    edges = (
        Region(0, 0, width, 1),
        Region(0, height - 1, width, 1),
        Region(0, 1, 1, height - 2),
        Region(width - 1, 1, 1, height - 2),
    )
    return tuple(edge.translate(-offset) for edge in edges)
