"""What keys and mouse do to the window and the crosshair: from what is seen to the next view. Draws nothing.

Keys are shown at once; the mouse, which can say more than can be drawn, at the rate of the frames.
"""

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from gdtui.chart.widget.chart import Chart
from gdtui.history import BatchInfo
from gdtui.state.variant import VariantState
from gdtui.view.data_extent import data_extent
from gdtui.view.view_state import ViewState
from gdtui.view.x_range import (
    WHOLE,
    DataExtent,
    FixedRange,
    WholeRange,
    XRange,
    follow_newest,
    on_another_axis,
    panned,
    visible_range,
    zoomed,
)

if TYPE_CHECKING:
    from gdtui.live_view import LiveView

_PAN: Final = 0.25
"""Of what is seen."""


class Explorer:
    """The way through the history."""

    def __init__(self, live: "LiveView") -> None:
        self._live = live
        self.cursor: float | None = None
        """Where on the x axis the crosshair is; None: there is none."""
        self._is_held = False
        """Keys have put the crosshair there, or hidden it: so it stays while the mouse does not move."""

    # --- The window, by keys --------------------------------------------------------------------

    def zoom(self, steps: int) -> None:
        """Half as wide (1) or twice (−1): at the crosshair; without it at the newest, or in the middle."""
        around, seen = self._ground, self.seen
        at = (seen.low + seen.high) / 2 if isinstance(self._view.window, FixedRange) else around.tail
        if self.cursor is not None and seen.low <= self.cursor <= seen.high:
            at = self.cursor
        self._look(window=zoomed(seen, around, at, 0.5**steps))

    def pan(self, steps: int) -> None:
        """A part of what is seen to the right (1) or to the left (−1)."""
        seen = self.seen
        self._look(window=panned(seen, self._ground, steps * _PAN * seen.width))

    def show_whole(self) -> None:
        self._look(window=WHOLE)

    def follow(self) -> None:
        self._look(window=follow_newest(self.seen, self._ground))

    def next_axis(self) -> None:
        """Samples, updates, seconds."""
        before, axes = self._ground, list(type(self._view.axis))
        axis = axes[(axes.index(self._view.axis) + 1) % len(axes)]
        now = data_extent(self._live.store, replace(self._view, axis=axis))
        self.cursor = None
        self._live.look(axis=axis, window=on_another_axis(self._view.window, before, now))

    def _look(self, **options: Any) -> None:
        """Change the view; the results are not in its way."""
        self._live.show_summary(False)
        self._live.look(**options)

    # --- The window, by mouse -------------------------------------------------------------------

    def zoom_at(self, message: Chart.Zoomed) -> None:
        """By the wheel: what is under the pointer stays there."""
        # Not what the chart shows: several turns may come between two frames.
        is_whole = isinstance(self._view.window, WholeRange)
        seen = XRange(*message.seen) if is_whole else self.seen
        at = seen.low + message.share * seen.width
        self._live.glance(window=zoomed(seen, self._ground, at, message.factor))

    def drag(self, message: Chart.Dragged) -> None:
        """What was taken moves with the pointer."""
        if isinstance(self._view.window, WholeRange):
            return
        seen = XRange(*message.seen)
        self._live.glance(window=panned(seen, self._ground, -message.share * seen.width))

    # --- The crosshair --------------------------------------------------------------------------

    def move_cursor(self, chart: Chart | None, columns: int) -> None:
        """So many columns of cells of this chart to the right; where there was none, it begins at the newest.

        At an edge of a window it takes the window with it.
        """
        if chart is None or chart.seen is None:
            return
        around, seen, at = self._ground, XRange(*chart.seen), self.cursor
        if at is None or not seen.low <= at <= seen.high:
            column = chart.column_at(min(max(around.tail, seen.low), seen.high))
        else:
            column = chart.column_at(at) + columns
        x = chart.x_at(column)
        if x is None:
            return
        self.cursor, self._is_held = min(max(x, 0.0), around.end), True
        window = self._view.window
        if not isinstance(window, WholeRange) and not seen.low <= self.cursor <= seen.high:
            window = panned(seen, around, math.copysign(_PAN * seen.width, columns))
        self._look(window=window)

    def hover(self, message: Chart.Hovered) -> None:
        """The crosshair goes with the mouse, and away with it; what keys have put somewhere stays."""
        if self._is_held and (message.x is None or not message.has_moved):
            return
        self._is_held = False
        self.cursor = message.x
        self._live.glance()

    def hide_cursor(self) -> None:
        """No crosshair, until the mouse moves or a key brings it."""
        self.cursor, self._is_held = None, True
        self._live.look()

    def under_cursor(self, one: VariantState) -> BatchInfo | None:
        """The batch of a variant that is drawn nearest to the crosshair; None where it has none."""
        if self.cursor is None or one.current is None:
            return None
        history = one.current.history
        index = history.find(self._view.axis, self.cursor)
        return None if index is None else history.at(index, self._view.smoothing)

    # --- What is there --------------------------------------------------------------------------

    @property
    def _view(self) -> ViewState:
        return self._live.view

    @property
    def _ground(self) -> DataExtent:
        return data_extent(self._live.store, self._view)

    @property
    def seen(self) -> XRange:
        """The part of x that all charts show; of the whole, a panel shows its own."""
        return visible_range(self._view.window, self._ground)
