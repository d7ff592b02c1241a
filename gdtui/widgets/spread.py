"""The spread of batch losses as bars beside a chart; only changed rows are repainted.

As text of a Static it took 2.7 ms of every refresh of a panel, more than the chart. numpy is
imported with the first data.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip

from gdtui.chart.scene.palette import FAINT, blend
from gdtui.chart.widget.chart import Chart
from gdtui.terminal.partial_update import Spanned

if TYPE_CHECKING:
    from gdtui.state.variant import VariantState

_NAME, _SHORT_NAME = "spread, last epoch", "spread"
_SHARE = 0.75
"""Share of the variant's colour, since blocks look brighter than dots."""


class Spread(Spanned):
    """A histogram on the y axis of the chart to its left.

    Its title is level with the chart's x labels.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._rows: list[str] = []
        self._colour = ""
        self._style: Style | None = None
        """The style of the bars; None after a change of colour or theme."""
        self._shown: tuple[VariantState, Chart, str] | None = None
        """The last arguments of `show`, for when there is more room or less."""

    def on_resize(self) -> None:
        if self._shown is not None:
            self.show(*self._shown)

    def show(self, one: "VariantState", chart: Chart, colour: str) -> None:
        """Show how the losses of this variant scatter, in its colour, `#rrggbb`."""
        from gdtui.chart.drawing.profile import profile

        self._shown = one, chart, colour
        width = self.content_size.width
        if not width or not self.display:
            return
        rows = (
            [""] * chart.rows
            if chart.y is None
            else profile(one.scatter, chart.y, width, chart.rows)
        )
        before, was = self._rows, self._colour
        self._rows, self._colour = rows, colour
        self._style = self._style if was == colour else None
        if len(before) != len(rows) or was != colour:
            self.refresh()
        elif changed := [
            y for y, (old, new) in enumerate(zip(before, rows, strict=True)) if old != new
        ]:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def notify_style_update(self) -> None:
        """The theme changed, or a class that affects colours."""
        super().notify_style_update()
        self._style = None

    def render_span(self, y: int, start: int, stop: int) -> Iterable[Segment] | None:
        if y >= len(self._rows) or not self._rows[y]:
            return None
        return [Segment(self._rows[y][start:stop].ljust(stop - start), self.sent(self._bars))]

    def render_line(self, y: int) -> Strip:
        width, height = self.content_size
        if y < len(self._rows) and self._rows[y]:
            style, text = self._bars, self._rows[y]
        else:
            background = self.background_colors[1]
            style = Style.from_color(
                (background + self.styles.color).rich_color, background.rich_color
            )
            name = _NAME if width >= len(_NAME) else _SHORT_NAME
            text = (
                name.center(width)
                if self._rows and y == height - 1 > len(self._rows)
                else " " * width
            )
        return Strip([Segment(text[:width].ljust(width), style)], width)

    @property
    def _bars(self) -> Style:
        if self._style is None:
            background = self.background_colors[1]
            told = blend(self._colour, background.hex6.lower(), _SHARE)
            ink = Color.parse(told).rich_color
            self._style = Style(color=ink, bgcolor=background.rich_color, dim=told == FAINT)
        return self._style
