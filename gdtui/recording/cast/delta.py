"""Escape sequences that turn one screen into the next: the cells that differ and nothing else."""

from collections.abc import Iterator
from typing import Final

from gdtui.recording.emulator.screen import BLANK, COVERED, TerminalScreen
from gdtui.recording.emulator.style import PLAIN, CellStyle, transition

_SHORT_GAP: Final = 5
"""Unchanged cells that take fewer bytes to repeat than to jump over."""


class ScreenDelta:
    """Sequences for another terminal, after which it shows the same as a screen."""

    def __init__(self, screen: TerminalScreen) -> None:
        self._screen = screen
        blank, plain = [BLANK] * screen.columns, [PLAIN] * screen.columns
        self._characters = [blank] * screen.rows
        self._styles = [plain] * screen.rows
        self._style = PLAIN

    def take(self) -> str:
        """The sequences for everything that has changed since the last call."""
        screen = self._screen
        rows, screen.changed = sorted(screen.changed), set()
        return "".join(piece for row in rows for piece in self._row(row))

    def _row(self, y: int) -> Iterator[str]:
        characters, styles = self._screen.characters[y], self._screen.styles[y]
        if characters == self._characters[y] and styles == self._styles[y]:
            return
        for start, stop in self._spans(y):
            yield f"\x1b[{y + 1};{start + 1}H"
            yield from self._cells(characters, styles, start, stop)
        self._characters[y], self._styles[y] = characters.copy(), styles.copy()

    def _spans(self, y: int) -> Iterator[tuple[int, int]]:
        """The changed cells of a row, as ranges with short gaps between them filled."""
        new = zip(self._screen.characters[y], self._screen.styles[y], strict=True)
        old = zip(self._characters[y], self._styles[y], strict=True)
        changed = [x for x, (now, was) in enumerate(zip(new, old, strict=True)) if now != was]
        start = last = self._left(y, changed[0])
        for x in changed:
            if x - last > _SHORT_GAP:
                yield start, self._right(y, last)
                start = self._left(y, x)
            last = x
        yield start, self._right(y, last)

    def _left(self, y: int, x: int) -> int:
        """The cell in which the character at x begins."""
        return x - 1 if x > 0 and self._screen.characters[y][x] == COVERED else x

    def _right(self, y: int, x: int) -> int:
        """The end of the character at x."""
        row = self._screen.characters[y]
        return x + 2 if x + 1 < len(row) and row[x + 1] == COVERED else x + 1

    def _cells(
        self, characters: list[str], styles: list[CellStyle], start: int, stop: int
    ) -> Iterator[str]:
        for x in range(start, stop):
            style = styles[x]
            if style is not self._style:
                yield transition(self._style, style)
                self._style = style
            yield characters[x]
