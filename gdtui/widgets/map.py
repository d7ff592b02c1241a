"""The landscape's map: coloured dots, two to a cell, or characters if there are few colours.

Draws what it was given last, and on top a character at the start and end of each path.
"""

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from gdtui.theme import colours
from gdtui.view.terrain import Image, Relief

Marks = dict[tuple[int, int], tuple[str, str]]
"""By cell (row, column): a character and its colour."""


class Map(Widget):
    """The map, as large as its dots or characters."""

    def __init__(self) -> None:
        super().__init__(id="map")
        self.dots: Image = np.zeros((0, 0, 3), np.uint8)
        self.relief: Relief | None = None
        self.marks: Marks = {}
        self._ink = ""

    def show(self, dots: Image, marks: Marks) -> None:
        """Draw these dots from now on."""
        self.dots, self.relief, self.marks = dots, None, marks
        self.refresh()

    def show_relief(self, relief: Relief, ink: str, marks: Marks) -> None:
        """Draw these characters from now on, in this colour except for the paths."""
        self.relief, self._ink, self.marks = relief, ink, marks
        self.refresh()

    def render_line(self, y: int) -> Strip:
        rows = len(self.dots) // 2 if self.relief is None else len(self.relief.characters)
        if y >= rows:
            return Strip.blank(self.size.width, self.rich_style)
        segments = self._dotted(y) if self.relief is None else self._lettered(self.relief, y)
        for (row, column), (character, colour) in self.marks.items():
            if row == y:
                segments[column] = Segment(character, self._marked(colour))
        return Strip(segments, len(segments))

    def _dotted(self, y: int) -> list[Segment]:
        upper, lower = self.dots[2 * y], self.dots[2 * y + 1]
        return [
            Segment("▀", Style(color=_hex(above), bgcolor=_hex(below)))
            for above, below in zip(upper, lower, strict=True)
        ]

    def _lettered(self, relief: Relief, y: int) -> list[Segment]:
        """Draw a path's cells in its variant's colour."""
        palette = colours(self.app.current_theme)
        ground = Style(color=self._ink, dim=True)
        owned = [Style(color=colour, bold=True) for colour in palette]
        return [
            Segment(chr(character), ground if owner < 0 else owned[owner % len(owned)])
            for character, owner in zip(relief.characters[y], relief.owners[y], strict=True)
        ]

    def _marked(self, colour: str) -> Style:
        if self.relief is not None:
            return Style(color=colour, bold=True, reverse=True)
        return Style(
            color=self.app.current_theme.background or "#000000", bgcolor=colour, bold=True
        )


def _hex(dot: NDArray[np.uint8]) -> str:
    return f"#{dot[0]:02x}{dot[1]:02x}{dot[2]:02x}"
