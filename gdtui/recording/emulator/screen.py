"""The screen of a terminal in memory.

Understands what Textual writes: text, cursor positions, line feeds, styles and clearing. Ignores
modes and questions, so a copy of the screen holds no keyboard protocol or mouse mode.
"""

import re
from collections.abc import Callable
from typing import Final

from rich.cells import cell_len, get_character_cell_size

from gdtui.recording.emulator.style import PLAIN, CellStyle, styled

_TOKENS: Final = re.compile(
    r"\x1b\[([0-9;:]*)(m)"  # style
    r"|\x1b\[([<=>?]?)([0-9;:]*)[ -/]*([@-~])"  # other control sequences
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\)"  # strings, such as titles
    r"|\x1b[ -/]*[0-~]"
    r"|([\r\n\x08\t])"
    r"|([^\x00-\x1f\x7f]+)",
    re.DOTALL,
)
_ALTERNATE_OFF: Final = "\x1b[?1049l"
BLANK: Final = " "
COVERED: Final = ""
"""The cell to the right of a wide character."""


class TerminalScreen:
    """Characters and styles by row; the cursor and the style for the next text."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.characters: list[list[str]] = []
        self.styles: list[list[CellStyle]] = []
        self.changed: set[int] = set()
        """Rows written to since this was last emptied."""
        self._style = PLAIN
        self._x = self._y = 0
        self._is_left = False
        self._clear()

    def feed(self, text: str) -> None:
        """Take in what a program writes, in pieces that split no escape sequence.

        Once the program has left the alternate screen, everything is ignored: its last screen
        remains.
        """
        if self._is_left:
            return
        before, end, _ = text.partition(_ALTERNATE_OFF)
        for style, is_style, mark, numbers, command, control, words in _TOKENS.findall(before):
            if words:
                self._write(words)
            elif is_style:
                self._style = styled(self._style, style)
            elif command and not mark:
                self._obey(command, numbers)
            elif control:
                self._move(control)
        self._is_left = bool(end)

    def text(self) -> str:
        """The screen as lines of text, without spaces at their ends."""
        return "\n".join("".join(row).rstrip() for row in self.characters) + "\n"

    def _write(self, text: str) -> None:
        if self._y >= self.rows:
            return
        width = len(text) if text.isascii() else cell_len(text)
        if width == len(text) and 0 < width <= self.columns - self._x:
            self._put(list(text), width)
            return
        for character in text:
            size = get_character_cell_size(character)
            if size and size <= self.columns - self._x:
                self._put([character, *[COVERED] * (size - 1)], size)

    def _put(self, cells: list[str], width: int) -> None:
        y, start, stop = self._y, self._x, self._x + width
        row = self.characters[y]
        if row[start] == COVERED:  # half of a wide character, of which nothing remains
            row[start - 1] = BLANK
        if stop < self.columns and row[stop] == COVERED:
            row[stop] = BLANK
        row[start:stop] = cells
        self.styles[y][start:stop] = [self._style] * width
        self.changed.add(y)
        self._x = stop

    def _move(self, control: str) -> None:
        if control == "\n":
            self._y += 1
        elif control == "\r":
            self._x = 0
        elif control == "\x08":
            self._x = max(self._x - 1, 0)

    def _obey(self, command: str, numbers: str) -> None:
        obey = _COMMANDS.get(command)
        if obey is not None:
            obey(self, [int(word) if word.isdecimal() else 0 for word in numbers.split(";")])

    def _go_to(self, numbers: list[int]) -> None:
        """Move the cursor; outside the screen, what is written there is lost."""
        row, column = (*numbers, 1)[:2]
        self._y, self._x = max(row, 1) - 1, max(column, 1) - 1

    def _erase(self, numbers: list[int]) -> None:
        if numbers[0] in (2, 3):
            self._clear()

    def _clear(self) -> None:
        self.characters = [[BLANK] * self.columns for _ in range(self.rows)]
        blank = CellStyle(background=self._style.background)
        self.styles = [[blank] * self.columns for _ in range(self.rows)]
        self.changed = set(range(self.rows))


_COMMANDS: Final[dict[str, Callable[[TerminalScreen, list[int]], None]]] = {
    "H": TerminalScreen._go_to,
    "f": TerminalScreen._go_to,
    "J": TerminalScreen._erase,
}
