"""How batch losses spread, as bars beside a chart, row by row; only the rows that changed are painted again.

As text of a Static it took 2.7 ms of every refresh of a panel: more than the chart. numpy is imported
with the first data.
"""

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from gdtui.chart.palette import FAINT, blend
from gdtui.chart.widget import Chart

if TYPE_CHECKING:
    from gdtui.variant import VariantState

_NAME, _SHORT_NAME = "spread, last epoch", "spread"
_SHARE = 0.75
"""Of the variant's colour: blocks shine more than dots."""


class Spread(Widget):
    """A histogram on the y axis of the chart to its left; its name where the chart has the labels of x."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._rows: list[str] = []
        self._colour = ""

    def tell(self, one: "VariantState", chart: Chart, colour: str) -> None:
        """Show how the losses of this variant scatter, in its colour, `#rrggbb`."""
        from gdtui.chart.profile import profile

        width = self.content_size.width
        if not width or not self.display:
            return
        rows = [""] * chart.rows if chart.y is None else profile(one.scatter, chart.y, width, chart.rows)
        before, was = self._rows, self._colour
        self._rows, self._colour = rows, colour
        if len(before) != len(rows) or was != colour:
            self.refresh()
        elif changed := [y for y, (old, new) in enumerate(zip(before, rows, strict=True)) if old != new]:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        width, height = self.content_size
        background = self.background_colors[1]
        if y < len(self._rows) and self._rows[y]:
            told = blend(self._colour, background.hex6.lower(), _SHARE)
            ink, dim, text = Color.parse(told), told == FAINT, self._rows[y]
        else:
            ink, dim = background + self.styles.color, False
            name = _NAME if width >= len(_NAME) else _SHORT_NAME
            text = name.center(width) if self._rows and y == height - 1 > len(self._rows) else " " * width
        style = Style(color=ink.rich_color, bgcolor=background.rich_color, dim=dim)
        return Strip([Segment(text[:width].ljust(width), style)], width)
