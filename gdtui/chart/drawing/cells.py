"""A rectangle of coloured characters, and the differences between two. Knows no widget."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.scene.layout import Room

_CHARACTER = np.dtype("<u4")  # a row's bytes are then UTF-32-LE
_SPACE = ord(" ")
_NEAR = 10
"""Changed spans closer than this are sent as one: moving the cursor costs bytes too."""


@dataclass(slots=True)
class Cells:
    """Characters (code points) by (row, column), each with the index of its ink."""

    characters: NDArray[np.uint32]
    inks: NDArray[np.int16]
    palette: list[str]
    """Colours `#rrggbb` by ink; the first, "", is for blanks. Cells to compare must share it."""

    @classmethod
    def blank(cls, width: int, height: int, palette: list[str] | None = None) -> "Cells":
        characters = np.full((height, width), _SPACE, _CHARACTER)
        return cls(characters, np.zeros((height, width), np.int16), palette or [""])

    @property
    def width(self) -> int:
        return int(self.characters.shape[1])

    @property
    def height(self) -> int:
        return int(self.characters.shape[0])

    def copy(self) -> "Cells":
        """A copy that shares the palette."""
        return Cells(self.characters.copy(), self.inks.copy(), self.palette)

    def part(self, room: Room) -> "Cells":
        """A view of a part; drawing in it draws in the whole."""
        rows = slice(room.top, room.top + room.height)
        columns = slice(room.left, room.left + room.width)
        return Cells(self.characters[rows, columns], self.inks[rows, columns], self.palette)

    def column(self, column: int, rows: int) -> "Cells":
        """A view of the top `rows` rows of a column."""
        return self.part(Room(column, 0, 1, rows, False))

    def ink(self, colour: str) -> int:
        if colour not in self.palette:
            self.palette.append(colour)
        return self.palette.index(colour)

    def write(self, row: int, column: int, text: str, colour: str) -> None:
        end = column + len(text)
        self.characters[row, column:end] = [ord(character) for character in text]
        self.inks[row, column:end] = self.ink(colour)

    def runs(self, row: int, start: int = 0, stop: int | None = None) -> Iterator[tuple[str, str]]:
        """The row, or its columns start…stop−1, as (text, colour), in as few pieces as it has."""
        text = self.characters[row, start:stop].tobytes().decode("utf-32-le")
        begin = 0
        for ink, same in groupby(self.inks[row, start:stop].tolist()):
            end = begin + sum(1 for _ in same)
            yield text[begin:end], self.palette[ink]
            begin = end

    def changes(self, before: "Cells") -> list[tuple[int, int, int]]:
        """Spans (row, first column, column after the last) that differ from cells of this size."""
        differs = (self.characters != before.characters) | (self.inks != before.inks)
        rows, columns = differs.nonzero()
        found: list[tuple[int, int, int]] = []
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if found and found[-1][0] == row and column - found[-1][2] < _NEAR:
                row, first, _ = found.pop()
                found.append((row, first, column + 1))
            else:
                found.append((row, column, column + 1))
        return found
