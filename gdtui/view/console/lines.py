"""The last lines of a console, as a terminal would show them: redrawn bars, colours, movements.

Pure: bytes in, lines with styles out. Whatever is no text, colour or movement is left out.
"""

import codecs
import re
from functools import lru_cache
from itertools import groupby
from typing import Final

from rich.style import Style
from rich.text import Text

_TOKENS: Final = re.compile(
    r"\x1b\[(?P<style>[0-9;:]*)m"
    r"|\x1b\[(?P<numbers>[0-9;?]*)[ -/]*(?P<command>[@-~])"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]"
    r"|(?P<control>[\r\n\x08\t])"
    r"|(?P<text>[^\x00-\x1f\x7f]+)"
)
_UNFINISHED: Final = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*|[\]PX^_][^\x07\x1b]*)?\Z")
_MOST_UNFINISHED: Final = 1 << 12
_MOST_LINES: Final = 500
_MOST_COLUMNS: Final = 1_000
_MOST_PROMPT: Final = 80
_PROMPT: Final = re.compile(r"[?:>)\]$#] {0,2}\Z")
_MOST_STYLES: Final = 8
_TAB: Final = 8

Cell = tuple[str, tuple[str, ...]]
"""A character, and the style sequences in force."""
_BLANK: Final[Cell] = (" ", ())


class ConsoleLines:
    """The lines of a console, of which the last ones are kept."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lines: list[list[Cell]] = [[]]
        self._row = self._column = 0
        self._style: tuple[str, ...] = ()
        self._held = ""
        """The beginning of an escape sequence."""

    def feed(self, data: bytes) -> None:
        """Take in the next bytes, which may end anywhere."""
        text = self._held + self._decoder.decode(data)
        self._held = ""
        if (open_ := _UNFINISHED.search(text)) and len(open_[0]) < _MOST_UNFINISHED:
            self._held, text = open_[0], text[: open_.start()]
        for token in _TOKENS.finditer(text):
            if token["text"]:
                self._write(token["text"])
            elif token["control"]:
                self._control(token["control"])
            elif token["style"] is not None:
                self._restyle(token["style"])
            elif token["command"]:
                self._obey(token["command"], token["numbers"])

    def last(self, rows: int, columns: int) -> list[Text]:
        """The last lines, cut to this width; an empty line at the end is left out."""
        lines = self._lines if self._lines[-1] or len(self._lines) == 1 else self._lines[:-1]
        return [_drawn(line[:columns]) for line in lines[-rows:]]

    @property
    def prompt(self) -> str:
        """The text before the cursor if it looks like a question to the user; else empty."""
        line = self._lines[self._row]
        if not self._column or self._column < len(line):
            return ""
        text = "".join(cell[0] for cell in line[-_MOST_PROMPT:])
        return text if _PROMPT.search(text) else ""

    def _write(self, text: str) -> None:
        line, start = self._lines[self._row], self._column
        text = text[: max(_MOST_COLUMNS - start, 0)]
        line += [_BLANK] * (start - len(line))
        line[start : start + len(text)] = [
            (each if each.isprintable() else "�", self._style) for each in text
        ]
        self._column = start + len(text)

    def _control(self, control: str) -> None:
        if control == "\n":
            self._go_down(1)
            self._column = 0
        elif control == "\r":
            self._column = 0
        elif control == "\x08":
            self._column = max(self._column - 1, 0)
        else:
            self._column = min((self._column // _TAB + 1) * _TAB, _MOST_COLUMNS)

    def _go_down(self, rows: int) -> None:
        self._row += min(rows, _MOST_LINES)
        while self._row >= len(self._lines):
            self._lines.append([])
        if (more := len(self._lines) - _MOST_LINES) > 0:
            del self._lines[:more]
            self._row = max(self._row - more, 0)

    def _restyle(self, numbers: str) -> None:
        if numbers in ("", "0"):
            self._style = ()
        else:
            self._style = (*self._style, numbers[:40])[-_MOST_STYLES:]

    def _obey(self, command: str, numbers: str) -> None:
        first = numbers.split(";")[0]
        number = min(int(first), _MOST_COLUMNS) if first.isdecimal() else 0
        match command:
            case "A" | "F":
                self._row = max(self._row - max(number, 1), 0)
            case "B" | "E":
                self._go_down(max(number, 1))
            case "C":
                self._column = min(self._column + max(number, 1), _MOST_COLUMNS)
            case "D":
                self._column = max(self._column - max(number, 1), 0)
            case "G":
                self._column = max(number, 1) - 1
            case "K":
                self._erase(number)
            case "J":
                self._clear(number)
            case _:
                return
        if command in "EF":
            self._column = 0

    def _erase(self, part: int) -> None:
        line = self._lines[self._row]
        if part == 0:
            del line[self._column :]
        else:
            line[: self._column] = [_BLANK] * min(self._column, len(line))
            if part > 1:
                line.clear()

    def _clear(self, part: int) -> None:
        if part == 0:
            self._erase(0)
            del self._lines[self._row + 1 :]
        else:
            self._lines, self._row, self._column = [[]], 0, 0


def _drawn(line: list[Cell]) -> Text:
    text = Text(no_wrap=True, end="")
    for styles, cells in groupby(line, key=lambda cell: cell[1]):
        text.append("".join(cell[0] for cell in cells), _style(styles))
    return text


@lru_cache(maxsize=512)
def _style(styles: tuple[str, ...]) -> Style:
    """The style that these sequences set together."""
    if not styles:
        return Style.null()
    spans = Text.from_ansi("".join(f"\x1b[{each}m" for each in styles) + "x").spans
    return Style.combine([span.style for span in spans if isinstance(span.style, Style)])
