"""Translates the mouse on a canvas into messages: zoom, drag, double click, hover.

They use shares of the canvas's width, or positions on its x axis. Does not change what is shown.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual import events
from textual.message import Message
from textual.widget import Widget

from gdtui.chart.scene.layout import Room

if TYPE_CHECKING:
    from gdtui.chart.widget.columns import Columns

_WHEEL: Final = 0.8
"""The factor by which a notch of the wheel narrows or widens the window."""


class Explorable(Widget):
    """A widget with a canvas that the mouse can explore."""

    ALLOW_SELECT = False  # dragging moves the window

    @dataclass
    class Zoomed(Message, namespace="chart"):
        """The wheel was turned."""

        seen: tuple[float, float]
        """The range of x that this chart shows."""
        share: float
        """The pointer's position: 0 left, 1 right."""
        factor: float
        """The new width as a share of the visible width."""

    @dataclass
    class Dragged(Message, namespace="chart"):
        """The canvas was dragged."""

        seen: tuple[float, float]
        """The range of x that it showed when the drag began."""
        share: float
        """The distance moved to the right since then, as a share of the width."""

    class Reset(Message, namespace="chart"):
        """The canvas was double-clicked."""

    @dataclass
    class Hovered(Message, namespace="chart"):
        """The mouse moved to another column, or the x in its column changed."""

        x: float | None
        """The x below the pointer; None when it has left the canvas."""
        has_moved: bool

    _taken: tuple[int, tuple[float, float]] | None = None
    """The column at which the drag began, and the range of x shown then."""
    _is_dragged = False
    _hovered: int | None = None
    """The column of cells below the mouse."""

    @property
    @abstractmethod
    def canvas(self) -> Room:
        """The cells of the canvas, relative to the content."""

    @property
    @abstractmethod
    def seen(self) -> tuple[float, float] | None:
        """The visible range of x; None without data."""

    @property
    def cell_columns(self) -> "Columns | None":
        """The canvas's columns of cells, with the x in each; None without data or room."""
        if self.seen is None or not self.canvas.width:
            return None
        from gdtui.chart.widget.columns import Columns

        return Columns(*self.seen, self.canvas.width)

    def x_at(self, column: int) -> float | None:
        """The x in the middle of a column of cells, even if it is outside the canvas.

        None without data.
        """
        return None if self.cell_columns is None else self.cell_columns.x_at(column)

    def column_at(self, x: float) -> int:
        """The column of cells in which this x is, or would be, drawn; may be outside the canvas."""
        return 0 if self.cell_columns is None else self.cell_columns.column_at(x)

    def tell_what_is_below(self) -> None:
        """Report that the x below the mouse has changed although the mouse has not moved."""
        if self._hovered is not None:
            self.post_message(self.Hovered(self.x_at(self._hovered), has_moved=False))

    # --- Events -----------------------------------------------------------------------------------

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._turned(event, _WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._turned(event, 1 / _WHEEL)

    def _turned(self, event: events.MouseEvent, factor: float) -> None:
        event.stop()
        share, seen = self._share_at(event), self.seen
        if share is not None and seen is not None:
            self.post_message(self.Zoomed(seen, share, factor))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        seen = self.seen
        if self._share_at(event) is not None and seen is not None:
            self._taken, self._is_dragged = (event.x, seen), False
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._hover(self._share_at(event))
        if self._taken is None or not self.canvas.width:
            return
        column, seen = self._taken
        self._is_dragged = self._is_dragged or event.x != column
        if self._is_dragged:
            self.post_message(self.Dragged(seen, (event.x - column) / self.canvas.width))

    def _hover(self, share: float | None) -> None:
        column = None if share is None else int(share * self.canvas.width)
        if column != self._hovered:
            self._hovered = column
            self.post_message(
                self.Hovered(None if column is None else self.x_at(column), has_moved=True)
            )

    def on_leave(self) -> None:
        self._hover(None)

    def on_mouse_up(self) -> None:
        if self._taken is not None:
            self._taken = None
            self.release_mouse()

    def on_mouse_release(self) -> None:
        """End the drag if something else captures the mouse."""
        self._taken = None

    def on_click(self, event: events.Click) -> None:
        if self._is_dragged:
            event.stop()  # the end of a drag is no click on what is around
        if event.chain == 2 and self._share_at(event) is not None:
            self.post_message(self.Reset())

    def _share_at(self, event: events.MouseEvent) -> float | None:
        """The mouse's position on the canvas, 0 left, 1 right; None outside it or without data."""
        left, top, width, height, _ = self.canvas
        at = event.get_content_offset_capture(self)
        if not (left <= at.x < left + width and top <= at.y < top + height) or self.seen is None:
            return None
        return (at.x - left + 0.5) / width
