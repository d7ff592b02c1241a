"""What keys and mouse do to the window: from what is seen to the next view. Draws nothing.

Keys are shown at once; the mouse, which can say more than can be drawn, at the rate of the frames.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gdtui.chart.widget import Chart
from gdtui.seen import ground
from gdtui.views import View
from gdtui.window import (
    WHOLE,
    Fixed,
    Ground,
    Span,
    Whole,
    following,
    on_another_axis,
    panned,
    span_of,
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

    # --- Keys -----------------------------------------------------------------------------------

    def zoom(self, steps: int) -> None:
        """Half as wide (1) or twice (−1): at the newest, but in the middle of what stands still."""
        around, seen = self._ground, self.seen
        at = (seen.low + seen.high) / 2 if isinstance(self._view.window, Fixed) else around.tail
        self._live.look(window=zoomed(seen, around, at, 0.5**steps))

    def pan(self, steps: int) -> None:
        """A part of what is seen to the right (1) or to the left (−1)."""
        seen = self.seen
        self._live.look(window=panned(seen, self._ground, steps * _PAN * seen.width))

    def show_whole(self) -> None:
        self._live.look(window=WHOLE)

    def follow(self) -> None:
        self._live.look(window=following(self.seen, self._ground))

    def next_axis(self) -> None:
        """Samples, updates, seconds."""
        before, axes = self._ground, list(type(self._view.axis))
        axis = axes[(axes.index(self._view.axis) + 1) % len(axes)]
        now = ground(self._live.store, replace(self._view, axis=axis))
        self._live.look(axis=axis, window=on_another_axis(self._view.window, before, now))

    # --- Mouse ----------------------------------------------------------------------------------

    def zoom_at(self, message: Chart.Zoomed) -> None:
        """By the wheel: what is under the pointer stays there."""
        # Not what the chart shows: several turns may come between two frames.
        is_whole = isinstance(self._view.window, Whole)
        seen = Span(*message.seen) if is_whole else self.seen
        at = seen.low + message.share * seen.width
        self._live.glance(window=zoomed(seen, self._ground, at, message.factor))

    def drag(self, message: Chart.Dragged) -> None:
        """What was taken moves with the pointer."""
        if isinstance(self._view.window, Whole):
            return
        seen = Span(*message.seen)
        self._live.glance(window=panned(seen, self._ground, -message.share * seen.width))

    # --- What is there --------------------------------------------------------------------------

    @property
    def _view(self) -> View:
        return self._live.view

    @property
    def _ground(self) -> Ground:
        return ground(self._live.store, self._view)

    @property
    def seen(self) -> Span:
        """The part of x that all charts show; of the whole, a panel shows its own."""
        return span_of(self._view.window, self._ground)
