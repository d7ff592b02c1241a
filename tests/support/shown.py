"""The picture of a headless app, read off its widgets, and its updates and notes on the way."""

import re
from collections.abc import Callable
from itertools import groupby, pairwise
from typing import Any

from textual.app import App
from textual.errors import NoWidget
from textual.geometry import Region
from textual.notifications import Notification, SeverityLevel
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from gdtui.app import GdtuiApp

Place = tuple[Widget, Region]
"""A widget, and where all of it lies."""


class ListenedApp(App[None]):
    """An app that tells of every update of its screen."""

    listener: Callable[[object], None] | None = None

    def _display(self, screen: Screen[Any], renderable: object) -> None:
        """Textual's hook for all that goes to a terminal."""
        super()._display(screen, renderable)  # type: ignore[arg-type]
        if self.listener is not None:
            self.listener(renderable)


class ObservedApp(ListenedApp, GdtuiApp):
    """The program's app, which keeps the notes that are up, and draws however long that takes."""

    HAS_TERMINAL = False

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self.notes: list[Notification] = []

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)
        self.notes.append(
            Notification(message, title, severity, timeout or self.NOTIFICATION_TIMEOUT, markup)
        )

    def clear_notifications(self) -> None:
        super().clear_notifications()
        self.notes.clear()

    @property
    def note_texts(self) -> set[str]:
        """The texts of the notes that are up."""
        return {note.message for note in self.notes}


def strips_of(app: App[None]) -> list[Strip]:
    """The rows of the screen, each put together from the widgets in front."""
    screen, (width, height) = app.screen, app.size
    edges, rows = _edges(screen, width, height)
    strips: list[Strip] = []
    for top, bottom in pairwise(rows):
        blocks: list[list[Strip]] = []
        for place, columns in groupby(
            pairwise(edges), key=lambda part: _in_front(screen, part[0], top)
        ):
            (left, right), *others = columns
            right = others[-1][1] if others else right
            blocks.append(_block(place, Region(left, top, right - left, bottom - top)))
        strips += [Strip.join(pieces) for pieces in zip(*blocks, strict=True)]
    return strips


def text_of(app: App[None]) -> str:
    """The screen as plain text."""
    return "\n".join(strip.text for strip in strips_of(app))


def without_keys(line: str) -> str:
    """A line without the keys that settings carry for who trains the run, and without spaces."""
    return " ".join(re.sub(r" \[ \]| , \.", "", line).split())


def _edges(screen: Screen[Any], width: int, height: int) -> tuple[list[int], list[int]]:
    """Columns and rows at which another widget may come to the front."""
    columns, rows = {0, width}, {0, height}
    for widget in screen.walk_children():
        x, y, right, bottom = widget.region.corners
        # Scroll bars are nobody's children, and what scrolls is cut off at a border.
        columns |= {x, x + 1, right - 2, right - 1, right}
        rows |= {y, y + 1, bottom - 2, bottom - 1, bottom}
    return sorted(x for x in columns if 0 <= x <= width), sorted(
        y for y in rows if 0 <= y <= height
    )


def _in_front(screen: Screen[Any], x: int, y: int) -> Place | None:
    try:
        return screen.get_widget_at(x, y)
    except NoWidget:
        return None


def _block(place: Place | None, part: Region) -> list[Strip]:
    """A part of the screen that is one widget's."""
    if place is None:
        return [Strip.blank(part.width)] * part.height
    widget, region = place
    strips = widget.render_lines(part.translate(-region.offset))
    return [strip.adjust_cell_length(part.width) for strip in strips]
