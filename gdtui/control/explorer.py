"""Moves through the history: keys and mouse move the window and the crosshair.

Works on a viewer and on numbers; draws nothing and knows no widget.
"""

import math
from dataclasses import replace
from typing import Final

from gdtui.chart.widget.columns import Columns
from gdtui.control.viewer import Viewer
from gdtui.view.data_extent import data_extent
from gdtui.view.text.caveats import imported
from gdtui.view.x_range import (
    WHOLE,
    DataExtent,
    FixedRange,
    WholeRange,
    XRange,
    follow_newest,
    on_another_axis,
    panned,
    zoomed,
)

_PAN: Final = 0.25
"""A share of the visible range."""


class Explorer:
    """Window and crosshair of one viewer, as keys and mouse move them."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._is_held = False
        """True when keys have placed or hidden the crosshair: it then stays until the mouse moves.
        """

    # --- The window, by keys --------------------------------------------------------------------

    def zoom(self, steps: int) -> None:
        """Make the window half (1) or twice (−1) as wide, around the crosshair.

        Without a crosshair, around the newest data or the middle.
        """
        viewer, extent, seen = self._viewer, self._extent, self._viewer.seen
        at = (
            (seen.low + seen.high) / 2
            if isinstance(viewer.view.window, FixedRange)
            else extent.tail
        )
        if viewer.cursor is not None and seen.low <= viewer.cursor <= seen.high:
            at = viewer.cursor
        viewer.change(window=zoomed(seen, extent, at, 0.5**steps))

    def pan(self, steps: int) -> None:
        """Move the window by a part of its width to the right (1) or to the left (−1)."""
        seen = self._viewer.seen
        self._viewer.change(window=panned(seen, self._extent, steps * _PAN * seen.width))

    def show_whole(self) -> None:
        """Show the whole history, as it grows."""
        self._viewer.change(window=WHOLE)

    def follow(self) -> None:
        """Show a window of the present width that moves with the newest data."""
        self._viewer.change(window=follow_newest(self._viewer.seen, self._extent))

    def next_axis(self) -> None:
        """Change the x axis: samples, updates, seconds."""
        view, before = self._viewer.view, self._extent
        axes = imported.axes(self._viewer.store)
        axis = axes[(axes.index(view.axis) + 1) % len(axes)]
        now = data_extent(self._viewer.charted, replace(view, axis=axis))
        self._viewer.cursor = None
        self._viewer.change(axis=axis, window=on_another_axis(view.window, before, now))

    # --- The window, by mouse -------------------------------------------------------------------

    def zoom_at(self, shown: tuple[float, float], share: float, factor: float) -> None:
        """Zoom by a factor so that the x below the pointer stays there.

        `shown`: the range on the pointer's chart. `share`: the pointer's position on it, from 0
        (left) to 1 (right).
        """
        # Not the range on screen, since several turns may come between two frames.
        is_whole = isinstance(self._viewer.view.window, WholeRange)
        seen = XRange(*shown) if is_whole else self._viewer.seen
        at = seen.low + share * seen.width
        self._viewer.change(window=zoomed(seen, self._extent, at, factor))

    def drag(self, shown: tuple[float, float], share: float) -> bool:
        """Move the range shown by this share of its width; False if everything is in view."""
        if isinstance(self._viewer.view.window, WholeRange):
            return False
        seen = XRange(*shown)
        self._viewer.change(window=panned(seen, self._extent, -share * seen.width))
        return True

    # --- The crosshair --------------------------------------------------------------------------

    def move_cursor(self, columns: Columns, steps: int) -> None:
        """Move it this many columns of a chart to the right; a new one begins at the newest batch.

        At an edge of a window it moves the window along.
        """
        viewer, extent, at = self._viewer, self._extent, self._viewer.cursor
        seen = XRange(columns.low, columns.high)
        if at is None or not seen.low <= at <= seen.high:
            newest = min(max(extent.tail, seen.low), seen.high)
            x = min(columns.x_at(columns.column_at(newest)), newest)
        else:
            x = columns.x_at(columns.column_at(at) + steps)
        viewer.cursor, self._is_held = min(max(x, 0.0), extent.end), True
        if (
            not isinstance(viewer.view.window, WholeRange)
            and not seen.low <= viewer.cursor <= seen.high
        ):
            viewer.change(window=panned(seen, extent, math.copysign(_PAN * seen.width, steps)))

    def hover(self, x: float | None, *, has_moved: bool) -> bool:
        """Move the crosshair to the mouse, or remove it; False if it stays where keys have put it.

        `x` None: the mouse has left the charts. `has_moved` False: the chart moved under the mouse.
        """
        if self._is_held and (x is None or not has_moved):
            return False
        self._is_held = False
        self._viewer.cursor = x
        return True

    def hide_cursor(self) -> None:
        """Hide the crosshair until the mouse moves or a key shows it."""
        self._viewer.cursor, self._is_held = None, True

    @property
    def _extent(self) -> DataExtent:
        return data_extent(self._viewer.charted, self._viewer.view)
