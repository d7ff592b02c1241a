"""Sharpness, noise scale and lr over training: charts on top of the main screen that grow.

Draws what the viewer's store knows, in the viewer's window and on its x axis. Every key except
those that close it goes to the main screen.
"""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from gdtui.chart.widget.chart import Chart
from gdtui.control.viewer import Viewer
from gdtui.screens.pass_through import PassThroughScreen
from gdtui.view import trends
from gdtui.view.pictures import AxisRanges, ChartSize
from gdtui.view.text.trend_readout import readout
from gdtui.widgets.line import Line

_PAINTERS: Final = {"sharpness": trends.sharpness, "noise": trends.noise, "lr": trends.lr}
_SECONDS: Final = 0.25
"""Redraw interval; measurements come less often."""
_READOUT_SHARE: Final = 6
"""The readout takes no larger part of the screen's rows than one of so many."""
_PADDING: Final = 2
_KEYS: Final = "! measure  M on/off  x axis  + - ← → zoom  h l crosshair  e explain  esc close"
_WATCHED_KEYS: Final = "x axis  + - ← → zoom, pan  h l crosshair  e explain  esc close"


class TrendsScreen(PassThroughScreen):
    """Three charts on the viewer's x axis."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,V", "dismiss", "Close", show=False),
        Binding("z,i", "nothing", show=False),  # they act on the charts underneath
    ]

    def __init__(self, main: Screen[None], viewer: Viewer, *, is_watching: bool) -> None:
        super().__init__(main)
        self._viewer = viewer
        self._is_watching = is_watching
        self._ranges = {name: AxisRanges() for name in _PAINTERS}

    def compose(self) -> ComposeResult:
        yield Chart(title="curvature", id="trend-sharpness")
        yield Chart(title="noise scale", id="trend-noise")
        yield Chart(title="learning rate", id="trend-lr")
        yield Line("", id="trends-readout")
        yield Line(id="trends-keys")

    def on_mount(self) -> None:
        keys = _WATCHED_KEYS if self._is_watching else _KEYS
        self.query_one("#trends-keys", Line).show(Content.styled(keys, "$quiet"))
        self.call_after_refresh(self.draw)
        self.set_interval(_SECONDS, self.draw)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def action_nothing(self) -> None:
        """Do nothing."""

    def draw(self) -> None:
        """Draw all charts, and read out what is under the crosshair."""
        self._read_out()
        store, view = self._viewer.store, self._viewer.view
        for name, paint in _PAINTERS.items():
            chart = self.query_one(f"#trend-{name}", Chart)
            canvas = ChartSize(chart.columns, chart.canvas.width, chart.canvas.height)
            shown = AxisRanges() if store.is_at_rest else self._ranges[name]
            picture, self._ranges[name] = paint(store, view, canvas, shown, self._message)
            chart.show(picture)
            chart.point(self._viewer.cursor)

    def _read_out(self) -> None:
        """Show a row for each variant below the charts while there is a crosshair."""
        line, cursor = self.query_one("#trends-readout", Line), self._viewer.cursor
        line.display = cursor is not None
        if cursor is None:
            return
        store = self._viewer.store
        rows = min(len(store.states), max(self.size.height // _READOUT_SHARE, 1))
        line.styles.height = rows
        width = self.size.width - _PADDING
        line.show(readout(store, self._viewer.view.axis, cursor, width, rows))

    @property
    def _message(self) -> str:
        """How to get data, shown while there is nothing to draw."""
        if self._is_watching:
            return "nothing has been measured here yet"
        if any(one.is_measuring for one in self._viewer.store.states):
            return "nothing measured yet: figures come as training goes on; ! measures now"
        return "nothing measured: press ! to measure now, M to measure now and then"
