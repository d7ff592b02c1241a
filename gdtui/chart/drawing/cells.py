"""A rectangle of coloured characters, and the differences between two. Knows no widget."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.scene.layout import Room
from gdtui.chart.scene.tints import legible

_CHARACTER = np.dtype("<u4")  # a row's bytes are then UTF-32-LE
_SPACE = ord(" ")
_NEAR = 10
"""Changed spans closer than this are sent as one: moving the cursor costs bytes too."""


class ColouredText(NamedTuple):
    """Adjacent characters of one colour on one ground, each `#rrggbb` or "" for the chart's."""

    text: str
    ink: str
    ground: str


@dataclass(slots=True)
class Cells:
    """Characters (code points) by (row, column), each with the indices of its colours."""

    characters: NDArray[np.uint32]
    inks: NDArray[np.int16]
    grounds: NDArray[np.int16]
    """The colours behind the characters; 0 for the background of the chart."""
    palette: list[str]
    """Colours `#rrggbb`; the first, "", is for blanks. Cells to compare must share it."""

    @classmethod
    def blank(cls, width: int, height: int, palette: list[str] | None = None) -> "Cells":
        characters = np.full((height, width), _SPACE, _CHARACTER)
        inks, grounds = np.zeros((2, height, width), np.int16)
        return cls(characters, inks, grounds, palette or [""])

    @property
    def width(self) -> int:
        return int(self.characters.shape[1])

    @property
    def height(self) -> int:
        return int(self.characters.shape[0])

    def copy(self) -> "Cells":
        """A copy that shares the palette."""
        return Cells(self.characters.copy(), self.inks.copy(), self.grounds.copy(), self.palette)

    def part(self, room: Room) -> "Cells":
        """A view of a part; drawing in it draws in the whole."""
        rows = slice(room.top, room.top + room.height)
        columns = slice(room.left, room.left + room.width)
        return Cells(
            self.characters[rows, columns],
            self.inks[rows, columns],
            self.grounds[rows, columns],
            self.palette,
        )

    def column(self, column: int, rows: int) -> "Cells":
        """A view of the top `rows` rows of a column."""
        return self.part(Room(column, 0, 1, rows, False))

    def ink(self, colour: str) -> int:
        if colour not in self.palette:
            self.palette.append(colour)
        return self.palette.index(colour)

    def write(self, row: int, column: int, text: str, colour: str) -> None:
        """Write text in this colour, or in a shade of it that is legible over a band."""
        end = column + len(text)
        self.characters[row, column:end] = [ord(character) for character in text]
        grounds = self.grounds[row, column:end]
        self.inks[row, column:end] = [
            self.ink(legible(colour, self.palette[ground]) if ground else colour)
            for ground in grounds.tolist()
        ]

    def runs(self, row: int, start: int = 0, stop: int | None = None) -> Iterator[ColouredText]:
        """The row, or its columns start…stop−1, in as few pieces as it has."""
        text = self.characters[row, start:stop].tobytes().decode("utf-32-le")
        begin = 0
        pairs = zip(
            self.inks[row, start:stop].tolist(), self.grounds[row, start:stop].tolist(), strict=True
        )
        for (ink, ground), same in groupby(pairs):
            end = begin + sum(1 for _ in same)
            yield ColouredText(text[begin:end], self.palette[ink], self.palette[ground])
            begin = end

    def changes(self, before: "Cells") -> list[tuple[int, int, int]]:
        """Spans (row, first column, column after the last) that differ from cells of this size."""
        differs = (self.characters != before.characters) | (self.inks != before.inks)
        differs |= self.grounds != before.grounds
        rows, columns = differs.nonzero()
        found: list[tuple[int, int, int]] = []
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if found and found[-1][0] == row and column - found[-1][2] < _NEAR:
                row, first, _ = found.pop()
                found.append((row, first, column + 1))
            else:
                found.append((row, column, column + 1))
        return found
