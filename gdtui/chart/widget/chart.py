"""The chart on the screen: shows a picture, line by line, and repaints only the cells that changed.

Its only state is the picture it received last. Imports numpy and plotext when the first picture
with data arrives, so that the first frame of the app need not wait for them.
"""

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip

from gdtui.chart.drawing.legend import LegendEntry, legend, legend_line, title_line
from gdtui.chart.scene.layout import Room, clean, room
from gdtui.chart.scene.palette import FAINT
from gdtui.chart.widget.explorable import Explorable
from gdtui.terminal.partial_update import Spanned

if TYPE_CHECKING:
    from gdtui.chart.drawing.cells import Cells
    from gdtui.chart.drawing.layers import Layers
    from gdtui.chart.scene.picture import Picture, Scale

_MOST_INKS = 256
"""Blends of past themes accumulate in the palette; beyond this size it is restarted."""


class Chart(Explorable, Spanned):
    """A picture in a box, its title in the box's border and the name of x below."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--axis",
        "chart--cursor",
        "chart--grid",
        "chart--label",
        "chart--message",
    }
    DEFAULT_CSS = """
    Chart {
        border: round $foreground 25%;
        border-title-color: $foreground;
        border-subtitle-color: $foreground 60%;
        border-subtitle-align: right;
        background: $background;
        & .chart--axis { color: $foreground 35%; }
        & .chart--cursor { color: $foreground; }
        & .chart--grid { color: $foreground 14%; }
        & .chart--label { color: $foreground 65%; }
        & .chart--message { color: $foreground 65%; }
    }
    """

    def __init__(
        self,
        *,
        title: str = "",
        message: str = "",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._title, self._caption = title, ""
        self._said = title, "", False
        """The title in the border, and the part of it that is emphasised."""
        self._lower: tuple[int, str, list[LegendEntry]] | None = None
        """Their room, the name of x and the legend."""
        self._message = message
        self._picture: Picture | None = None
        self._painted: Cells | None = None
        self._cells: Cells | None = None
        """The painted chart, including the cursor."""
        self._cursor: float | None = None
        self._palette = [""]
        self._layers: Layers | None = None
        self._strips: dict[int, Strip] = {}
        self._styles_by_colour: dict[tuple[str, str], Style] = {}
        self._inks: dict[str, str] = {}
        self._known_background: Color | None = None
        """The cached value of `_background`; None after the theme changed."""

    def on_mount(self) -> None:
        self._show_titles(self.size)

    def on_resize(self) -> None:
        self._show_titles(self.size)
        self.repaint()

    def notify_style_update(self) -> None:
        """The theme changed, or a class that affects colours."""
        super().notify_style_update()
        self._lower = None
        self.repaint()
        if self._picture is not None:  # not now: the styles of the parts follow
            self.call_after_refresh(self._show_titles, self.size)

    # --- What it shows ----------------------------------------------------------------------------

    def show(self, picture: "Picture") -> bool:
        """Show this picture from now on, repaint what differs from the last; True if any does."""
        before, self._picture, size = self.seen, picture, self.size
        self._show_titles(size)
        differs = picture.message != self._message
        if differs:
            self._message = picture.message
            self.repaint()
        elif not self._message:
            differs = self._update(size)
        if self.seen != before:
            self.tell_what_is_below()
        return differs

    def extend(self, picture: "Picture") -> bool:
        """Show the picture shown before, whose lines have grown; True if a cell differs."""
        self._picture = picture
        return not self._message and self._update(self.size)

    def point(self, x: float | None) -> None:
        """Draw the crosshair at this x, or none."""
        if x == self._cursor:
            return
        self._cursor = x
        if self._painted is not None and not self._message:
            self._repaint_changes(self._painted)

    def caption(self, text: str) -> None:
        """Show this in the lower border, instead of legend and name of x; "" restores these."""
        if text != self._caption:
            self._caption = text
            self._show_titles(self.size)

    def repaint(self) -> None:
        """Redraw everything, after a change of size or colours."""
        self._cells = self._painted = None
        self._palette = [""]
        self._strips.clear()
        self._styles_by_colour.clear()
        self._inks.clear()
        self._known_background = None
        self.refresh()

    def _show_titles(self, size: Size) -> None:
        """The title above; below, the legend and the name of x, or the caption."""
        picture = self._picture
        if picture is None:
            self.border_title = Content(clean(self._title))
            return
        title = picture.title_at(room(picture.y, *size).width)
        said = title, picture.headline, picture.is_good_news
        if said != self._said:
            self._said, self._title = said, title
            self.border_title = title_line(*said)
        name, width = clean(self._caption or picture.x.title), size.width - 4
        lower = width, name, [] if self._caption else legend(picture, width - len(name) - 4)
        if lower != self._lower:
            self._lower = lower
            edge = (self._background + self.styles.border_bottom[1]).hex6
            self.border_subtitle = legend_line(*lower, self._ink("chart--label"), edge)

    def _update(self, size: Size) -> bool:
        before = self._cells
        is_comparable = before is not None and (before.width, before.height) == size
        if before is None or not is_comparable or len(self._palette) > _MOST_INKS:
            self.repaint()
            return True
        return self._repaint_changes(self._paint(size))

    def _repaint_changes(self, painted: "Cells") -> bool:
        before = self._cells
        self._cells = self._with_cursor(painted)
        regions = []
        for row, start, end in self._cells.changes(before) if before else ():
            self._strips.pop(row, None)
            regions.append(Region(start, row, end - start, 1))
        if regions:
            self.refresh(*regions)
        return bool(regions)

    def _with_cursor(self, painted: "Cells") -> "Cells":
        from gdtui.chart.drawing.canvas import with_cursor

        self._painted = painted
        if self._cursor is None or self._picture is None:
            return painted
        return with_cursor(painted, self._picture, self._cursor, self._ink("chart--cursor"))

    def _paint(self, size: Size) -> "Cells":
        from gdtui.chart.drawing.canvas import paint
        from gdtui.chart.drawing.frame import FrameInks
        from gdtui.chart.drawing.layers import Layers

        assert self._picture is not None
        self._layers = self._layers or Layers()
        axis, grid, label = (self._ink(f"chart--{part}") for part in ("axis", "grid", "label"))
        inks = FrameInks(axis=axis, label=label, grid=grid)
        background = self._background.hex6.lower()
        return paint(self._picture, *size, inks, background, self._palette, self._layers)

    # --- Lines ------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self._strip(y)
        return strip

    def _strip(self, y: int) -> Strip:
        width, height = self.size
        if self._message or self._picture is None:
            return self._message_strip(y)
        if self._cells is None:
            self._cells = self._with_cursor(self._paint(self.size))
        if not width or not 0 <= y < min(height, self._cells.height):
            return Strip([Segment(" " * width, self._style(""))], width)
        segments = [
            Segment(run.text, self._style(run.ink, run.ground)) for run in self._cells.runs(y)
        ]
        return Strip(segments, self._cells.width)

    def render_span(self, y: int, start: int, stop: int) -> list[Segment] | None:
        """A part of a line of data, without Textual's styles such as opacity, tint and outline."""
        cells = self._cells
        if cells is None or self._message or y >= cells.height or stop > cells.width:
            return None
        return [
            Segment(run.text, self.sent(self._style(run.ink, run.ground)))
            for run in cells.runs(y, start, stop)
        ]

    def _message_strip(self, y: int) -> Strip:
        width, height = self.size
        lines = [clean(line) for line in self._message.split("\n")]
        at = y - max(0, height - len(lines)) // 2
        text = lines[at] if 0 <= at < len(lines) else ""
        left = max(0, width - cell_len(text)) // 2
        line = set_cell_size(" " * left + text, width)
        return Strip([Segment(line, self._style(self._ink("chart--message")))], width)

    def _style(self, colour: str, ground: str = "") -> Style:
        style = self._styles_by_colour.get((colour, ground))
        if style is None:
            background = (Color.parse(ground) if ground else self._background).rich_color
            foreground = Color.parse(colour).rich_color if colour else None
            style = Style.from_color(foreground, background)
            if colour == FAINT:
                style += Style(dim=True)
            self._styles_by_colour[colour, ground] = style
        return style

    def _ink(self, component: str) -> str:
        ink = self._inks.get(component)
        if ink is None:
            styles = self.get_component_styles(component)
            ink = self._inks[component] = (self._background + styles.color).hex6.lower()
        return ink

    @property
    def _background(self) -> Color:
        if self._known_background is None:
            self._known_background = self.background_colors[1]
        return self._known_background

    # --- Geometry ---------------------------------------------------------------------------------

    @property
    def canvas(self) -> Room:
        """The cells of the canvas, relative to the content."""
        return room(self._picture.y if self._picture else None, *self.size)

    @property
    def picture(self) -> "Picture | None":
        """The picture shown, even if a message covers it."""
        return self._picture

    @property
    def y(self) -> "Scale | None":
        """The visible y axis; None without data."""
        return self._picture.y if self._picture and not self._message else None

    @property
    def columns(self) -> int:
        """Columns of dots across the canvas; 0 if there is no room."""
        return 2 * self.canvas.width

    @property
    def rows(self) -> int:
        """Rows of cells down the canvas."""
        return self.canvas.height

    @property
    def seen(self) -> tuple[float, float] | None:
        """The visible range of x; None without data."""
        if self._picture is None or self._message:
            return None
        return self._picture.x.low, self._picture.x.high
