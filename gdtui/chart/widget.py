"""The chart on the screen: shows a picture, line by line, and repaints only the cells that changed.

Holds no truth but the picture it was last given. numpy and plotext are imported when the first
picture with data arrives, so that the first frame of the app need not wait for them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from gdtui.chart.layout import Room, clean, room
from gdtui.chart.legend import Entry, legend, written

if TYPE_CHECKING:
    from gdtui.chart.cells import Cells
    from gdtui.chart.picture import Picture

_MOST_INKS = 256
"""Blends of past themes pile up in the palette; beyond this it is started anew."""
_WHEEL: Final = 0.8
"""A notch of the wheel makes the window so much narrower, or as much wider."""


class Chart(Widget):
    """A picture in a box, its title in the box's border and the name of x below.

    What the mouse does on its canvas it says in messages, in shares of the width of the canvas.
    """

    ALLOW_SELECT = False  # dragging moves the window

    @dataclass
    class Zoomed(Message):
        """The wheel was turned."""

        seen: tuple[float, float]
        """The x that this chart shows."""
        share: float
        """Where the pointer is: 0 left, 1 right."""
        factor: float
        """Of the width of what is seen."""

    @dataclass
    class Dragged(Message):
        """The canvas was taken and moved."""

        seen: tuple[float, float]
        """The x that it showed when it was taken."""
        share: float
        """To the right, since then."""

    class Reset(Message):
        """Clicked twice."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--axis",
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
        self._title = title
        self._lower: tuple[int, str, list[Entry]] | None = None
        """Their room, the name of x and the legend."""
        self._message = message
        self._picture: Picture | None = None
        self._cells: Cells | None = None
        self._palette = [""]
        self._strips: dict[int, Strip] = {}
        self._styles_by_colour: dict[str, Style] = {}
        self._taken: tuple[int, tuple[float, float]] | None = None
        """The column at which the mouse took the canvas, and what it showed then."""
        self._is_dragged = False

    def on_mount(self) -> None:
        self._show_titles()

    def on_resize(self) -> None:
        self._show_titles()
        self.repaint()

    def notify_style_update(self) -> None:
        """Another theme, or a class that changes the colours."""
        super().notify_style_update()
        self._lower = None
        self.repaint()

    # --- What it shows ----------------------------------------------------------------------------

    def show(self, picture: "Picture") -> None:
        """Show this picture from now on; only what differs from the last one is repainted."""
        self._picture = picture
        self._show_titles()
        if picture.message != self._message:
            self._message = picture.message
            self.repaint()
        elif not self._message:
            self._update()

    def repaint(self) -> None:
        """Draw everything anew: after a change of size or of colours."""
        self._cells = None
        self._palette = [""]
        self._strips.clear()
        self._styles_by_colour.clear()
        self.refresh()

    def _show_titles(self) -> None:
        """The title above; below, the legend on the left and the name of x on the right."""
        picture = self._picture
        if picture is None:
            self.border_title = Content(clean(self._title))
            return
        if picture.title != self._title:
            self._title = picture.title
            self.border_title = Content(clean(self._title))
        name, room = clean(picture.x.title), self.size.width - 4
        lower = room, name, legend(picture, room - len(name) - 4)
        if lower != self._lower:
            self._lower = lower
            edge = (self._background + self.styles.border_bottom[1]).hex6
            self.border_subtitle = written(*lower, self._ink("chart--label"), edge)

    def _update(self) -> None:
        before = self._cells
        is_comparable = before is not None and (before.width, before.height) == self._content
        if before is None or not is_comparable or len(self._palette) > _MOST_INKS:
            self.repaint()
            return
        self._cells = self._paint()
        regions = []
        for row, start, end in self._cells.changes(before):
            self._strips.pop(row, None)
            regions.append(Region(start, row, end - start, 1))
        if regions:
            self.refresh(*regions)

    def _paint(self) -> "Cells":
        from gdtui.chart.canvas import paint
        from gdtui.chart.frame import Inks

        assert self._picture is not None
        axis, grid, label = (self._ink(f"chart--{part}") for part in ("axis", "grid", "label"))
        inks = Inks(axis=axis, label=label, grid=grid)
        background = self._background.hex6.lower()
        return paint(self._picture, *self._content, inks, background, self._palette)

    # --- Lines ------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self._strip(y)
        return strip

    def _strip(self, y: int) -> Strip:
        width, height = self._content
        if self._message or self._picture is None:
            return self._message_strip(y)
        if self._cells is None:
            self._cells = self._paint()
        if not width or not 0 <= y < min(height, self._cells.height):
            return Strip([Segment(" " * width, self._style(""))], width)
        segments = [Segment(text, self._style(ink)) for text, ink in self._cells.runs(y)]
        return Strip(segments, self._cells.width)

    def _message_strip(self, y: int) -> Strip:
        width, height = self._content
        lines = [clean(line) for line in self._message.split("\n")]
        at = y - max(0, height - len(lines)) // 2
        text = lines[at] if 0 <= at < len(lines) else ""
        left = max(0, width - cell_len(text)) // 2
        line = set_cell_size(" " * left + text, width)
        return Strip([Segment(line, self._style(self._ink("chart--message")))], width)

    def _style(self, colour: str) -> Style:
        style = self._styles_by_colour.get(colour)
        if style is None:
            background = self._background.rich_color
            foreground = Color.parse(colour).rich_color if colour else None
            style = self._styles_by_colour[colour] = Style.from_color(foreground, background)
        return style

    def _ink(self, component: str) -> str:
        styles = self.get_component_styles(component)
        return (self._background + styles.color).hex6.lower()

    @property
    def _background(self) -> Color:
        return self.background_colors[1]

    @property
    def _content(self) -> Size:
        return self.size

    # --- Where things are -------------------------------------------------------------------------

    @property
    def canvas(self) -> Room:
        """The cells of the canvas, relative to the content."""
        return room(self._picture.y if self._picture else None, *self._content)

    @property
    def columns(self) -> int:
        """Columns of dots across the canvas; 0 where there is no room for any."""
        return 2 * self.canvas.width

    @property
    def rows(self) -> int:
        """Rows of cells down the canvas."""
        return self.canvas.height

    def _share_at(self, event: events.MouseEvent) -> float | None:
        """Where on the canvas the mouse is: 0 left, 1 right; None beside it or without data."""
        left, top, width, height, _ = self.canvas
        at = event.get_content_offset_capture(self)
        if not (left <= at.x < left + width and top <= at.y < top + height) or self._seen is None:
            return None
        return (at.x - left + 0.5) / width

    @property
    def _seen(self) -> tuple[float, float] | None:
        """The x that is shown; None without data."""
        if self._picture is None or self._message:
            return None
        return self._picture.x.low, self._picture.x.high

    # --- Mouse ------------------------------------------------------------------------------------

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._turned(event, _WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._turned(event, 1 / _WHEEL)

    def _turned(self, event: events.MouseEvent, factor: float) -> None:
        event.stop()
        share, seen = self._share_at(event), self._seen
        if share is not None and seen is not None:
            self.post_message(self.Zoomed(seen, share, factor))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        seen = self._seen
        if self._share_at(event) is not None and seen is not None:
            self._taken, self._is_dragged = (event.x, seen), False
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._taken is None or not self.canvas.width:
            return
        column, seen = self._taken
        self._is_dragged = self._is_dragged or event.x != column
        if self._is_dragged:
            self.post_message(self.Dragged(seen, (event.x - column) / self.canvas.width))

    def on_mouse_up(self) -> None:
        if self._taken is not None:
            self._taken = None
            self.release_mouse()

    def on_mouse_release(self) -> None:
        """Also where something else takes the mouse away."""
        self._taken = None

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2 and self._share_at(event) is not None:
            self.post_message(self.Reset())
