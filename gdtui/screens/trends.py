"""Sharpness and noise scale over training: two charts over the app, that grow while training goes on below.

Draws what the app's store knows, in the window and on the x axis that the app looks at. Its keys but
those that close it are the app's own.
"""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from gdtui.chart.widget.chart import Chart
from gdtui.live_view import LiveView
from gdtui.view import trends
from gdtui.view.pictures import AxisRanges, ChartSize
from gdtui.widgets.line import Line

_SECONDS: Final = 0.25
"""Between two looks: measurements are further apart."""
_KEYS: Final = "! measure   M on, off   x axis   + - ← → zoom, pan   e explain   esc close"
_WATCHED_KEYS: Final = "x axis   + - ← → zoom, pan   e explain   esc close"


class TrendsScreen(Screen[None]):
    """Over the app."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,V", "dismiss", "Close", show=False),
        Binding("z,i", "nothing", show=False),  # the charts that they are about are below
    ]

    def __init__(self, live: LiveView, *, is_watching: bool) -> None:
        super().__init__()
        self._live = live
        self._is_watching = is_watching
        self._ranges = {"sharpness": AxisRanges(), "noise": AxisRanges()}

    def compose(self) -> ComposeResult:
        yield Chart(title="sharpness", id="trend-sharpness")
        yield Chart(title="noise scale", id="trend-noise")
        yield Line(id="trends-keys")

    def on_mount(self) -> None:
        keys = _WATCHED_KEYS if self._is_watching else _KEYS
        self.query_one("#trends-keys", Line).say(Content.styled(keys, "$quiet"))
        self.call_after_refresh(self.draw)
        self.set_interval(_SECONDS, self.draw)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def action_nothing(self) -> None:
        """Do nothing."""

    def draw(self) -> None:
        """Both charts, as things stand."""
        store, view = self._live.store, self._live.view
        for name, paint in (("sharpness", trends.sharpness), ("noise", trends.noise)):
            chart = self.query_one(f"#trend-{name}", Chart)
            canvas = ChartSize(chart.columns, chart.canvas.width, chart.canvas.height)
            shown = AxisRanges() if store.is_at_rest else self._ranges[name]
            picture, self._ranges[name] = paint(store, view, canvas, shown, self._message)
            chart.show(picture)
            chart.point(self._live.explorer.cursor)

    @property
    def _message(self) -> str:
        """What is to be done while there is nothing to draw."""
        if self._is_watching:
            return "nothing was measured here yet"
        if any(one.is_measuring for one in self._live.store.states):
            return "nothing measured yet: it will be while training goes on; ! measures at once"
        return "nothing measured: press ! to measure now, M to measure now and then"
