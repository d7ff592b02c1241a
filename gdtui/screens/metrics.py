"""Every number that has a name, each in a chart of its own, on top of the main screen.

Draws what the viewer's store knows, in the viewer's window, on its x axis, with its crosshair.
"""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid as GridContainer
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input

from gdtui.chart.widget.chart import Chart
from gdtui.control.viewer import Viewer
from gdtui.screens.pass_through import PassThroughScreen
from gdtui.view.metrics.grid import Grid
from gdtui.view.metrics.picture import metric, names
from gdtui.view.pictures import AxisRanges, ChartSize
from gdtui.widgets.line import Line

_SECONDS: Final = 0.25
"""Redraw interval."""
_KEYS: Final = "tab choose  enter zoom  / search  x axis  y log  + - ← → zoom, pan  h l crosshair"
_EMPTY: Final = "no metrics yet: a problem's come with validation, run.log(name=…) adds any number"


class MetricsScreen(PassThroughScreen):
    """A grid of charts, which a search narrows down; one of them may fill the screen."""

    AUTO_FOCUS = ""  # the search is hidden until it is asked for
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", show=False),
        Binding("Y", "dismiss", "Close", show=False),
        Binding("slash", "search", "Search", show=False),
        Binding("enter,z", "zoom", "Zoom", show=False),
        Binding("tab", "choose(1)", "Next", show=False, priority=True),
        Binding("shift+tab", "choose(-1)", "Previous", show=False, priority=True),
    ]

    def __init__(self, main: Screen[None], viewer: Viewer) -> None:
        super().__init__(main)
        self._viewer = viewer
        self._part = ""
        """The part that the names in view contain."""
        self._chosen = 0
        """The place of the chosen chart among those that the search leaves."""
        self._is_zoomed = False
        self._ranges: dict[str, AxisRanges] = {}

    def compose(self) -> ComposeResult:
        yield Line(id="metrics-title")
        yield GridContainer(id="metrics-grid")
        yield Input(placeholder="part of a name", id="metrics-search")
        yield Line(id="metrics-keys")

    def on_mount(self) -> None:
        self.query_one("#metrics-keys", Line).show(Content.styled(f"{_KEYS}  esc back", "$quiet"))
        self.call_after_refresh(self.draw)
        self.set_interval(_SECONDS, self.draw)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    # --- Keys -------------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Ask for a part of a name."""
        search = self.query_one(Input)
        search.display = True
        search.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the charts down as the part is typed."""
        self._part, self._chosen = event.value.strip(), 0
        self.draw()

    def on_input_submitted(self) -> None:
        """Keep the search and return to the charts."""
        self._close_search()

    def action_back(self) -> None:
        """Undo the last of these: the search, the zoom, the screen itself."""
        if self._part or self.query_one(Input).display:
            self.query_one(Input).value = ""
            self._close_search()
        elif self._is_zoomed:
            self.action_zoom()
        else:
            self.dismiss()

    def _close_search(self) -> None:
        self.query_one(Input).display = False
        self.set_focus(None)

    def action_zoom(self) -> None:
        """Let the chosen chart fill the screen, or return to all."""
        self._is_zoomed = not self._is_zoomed
        self.draw()

    def action_choose(self, step: int) -> None:
        """Choose the next chart, or the one before."""
        self._chosen += step
        self.draw()

    # --- Drawing ----------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw the charts of the page with the chosen one."""
        found = names(self._viewer.store, self._part)
        self._chosen %= max(len(found), 1)
        container = self.query_one(GridContainer)
        width, height = container.size
        grid = Grid.of(1 if self._is_zoomed else len(found), width, height)
        page = self._chosen // grid.places
        shown = found[page * grid.places : (page + 1) * grid.places]
        if self._is_zoomed:
            shown = found[self._chosen : self._chosen + 1]
        self._show_title(found, page, grid)
        container.styles.grid_size_columns = grid.columns
        container.styles.grid_size_rows = grid.rows
        for chart, name in zip(self._charts(container, len(shown)), shown, strict=True):
            chart.set_class(name == found[self._chosen] and len(shown) > 1, "chosen")
            self._draw_chart(chart, name)

    def _charts(self, container: GridContainer, count: int) -> list[Chart]:
        """So many charts; those that are missing are mounted, and drawn with the next frame."""
        charts = [*container.query(Chart)]
        if added := [Chart() for _ in range(count - len(charts))]:
            container.mount_all(added)
            self.call_after_refresh(self.draw)
            charts += added
        for place, chart in enumerate(charts):
            chart.display = place < count
        return charts[:count]

    def _draw_chart(self, chart: Chart, name: str) -> None:
        canvas = ChartSize(chart.columns, chart.canvas.width, chart.canvas.height)
        store, cursor = self._viewer.store, self._viewer.cursor
        before = AxisRanges() if store.is_at_rest else self._ranges.get(name, AxisRanges())
        picture, self._ranges[name] = metric(store, self._viewer.view, name, canvas, before, cursor)
        chart.show(picture)
        chart.point(cursor)

    def _show_title(self, found: list[str], page: int, grid: Grid) -> None:
        """Say how many there are, and which part of them is in view."""
        every = len(names(self._viewer.store))
        if not every:
            text = _EMPTY
        else:
            counted = f"{len(found)} of {every}" if self._part else f"{every}"
            parts = [f"metrics · {counted}"]
            parts += [f"search: {self._part}"] if self._part else []
            parts += [f"page {page + 1} of {grid.pages}"] if grid.pages > 1 else []
            text = " · ".join(parts)
        self.query_one("#metrics-title", Line).show(Content.styled(text, "$quiet"))
