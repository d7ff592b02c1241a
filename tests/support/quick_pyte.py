"""pyte's screen and stream, with short cuts for what makes up nearly all of an app's output.

Plain text of narrow characters and control sequences without a prefix take the short cuts; pyte
itself handles everything else. An app that redraws ten times per second writes so much that pyte
alone took more time than the app.
"""

import re
from codecs import getincrementaldecoder
from functools import lru_cache
from typing import Final

import pyte
from pyte import charsets, modes
from pyte.screens import Char
from wcwidth import wcwidth

_FINALS: Final = re.escape("".join(pyte.Stream.csi))
_SEQUENCE: Final = re.compile(rf"\x1b\[([0-9;]*)([{_FINALS}])")
_TEXT: Final = re.compile(r"[^\x00\x07-\x0f\x1b\x7f\x9b\x9d]+")
_OTHER: Final = re.compile(
    r"(?:\x1b\[|\x9b)[^@-~]*[@-~]"  # other control sequences
    r"|(?:\x1b\]|\x9d)(?:[RP]|[^RP](?:\x1b[^\\]|[^\x07\x1b\x9c])*(?:\x07|\x1b\\|\x9c))"  # strings
    r"|\x1b[()#%].|\x1b[^\[\]()#%]|[^\x1b\x9b\x9d]",
    re.DOTALL,
)


class _Cells(dict[str, Char]):
    """The cells of one style, by character."""

    def __init__(self, style: Char) -> None:
        super().__init__()
        self._style = style

    def __missing__(self, character: str) -> Char:
        self[character] = cell = Char(character, *self._style[1:])
        return cell


class QuickScreen(pyte.Screen):
    """A screen that draws narrow text at once and renders only the rows that changed."""

    def __init__(self, columns: int, lines: int) -> None:
        self._cells: dict[Char, _Cells] = {}
        self._styles: dict[tuple[Char, bool, tuple[int, ...]], Char] = {}
        self._rows: list[str] = []
        super().__init__(columns, lines)

    def draw(self, data: str) -> None:
        cursor = self.cursor
        end = cursor.x + len(data)
        if end > self.columns or not self._is_plain or not _are_narrow(data):
            super().draw(data)
            self.dirty.update(range(self.lines))  # it may combine with a character of another row
            return
        cells = self._cells.get(cursor.attrs)
        if cells is None:
            cells = self._cells[cursor.attrs] = _Cells(cursor.attrs)
        places = range(cursor.x, end)
        self.buffer[cursor.y].update(zip(places, map(cells.__getitem__, data), strict=True))
        cursor.x = end
        self.dirty.add(cursor.y)

    @property
    def _is_plain(self) -> bool:
        """True when a character of the text is one on the screen and moves no other."""
        is_latin = self.charset == 0 and self.g0_charset is charsets.LAT1_MAP
        return is_latin and modes.IRM not in self.mode

    def select_graphic_rendition(self, *attrs: int) -> None:
        key = (self.cursor.attrs, modes.DECSCNM in self.mode, attrs)
        if key not in self._styles:
            super().select_graphic_rendition(*attrs)
            self._styles[key] = self.cursor.attrs
        self.cursor.attrs = self._styles[key]

    @property
    def display(self) -> list[str]:
        """The rows as text. Rows with wide or combined characters are rendered by pyte."""
        if self.dirty or len(self._rows) != self.lines:
            whole: list[str] | None = None
            columns = range(self.columns)
            rows = (self._rows + [""] * self.lines)[: self.lines]
            for y in self.dirty & set(range(self.lines)):
                line = self.buffer[y]
                rows[y] = "".join([line[x].data for x in columns])
                if len(rows[y]) != self.columns or not _are_narrow(rows[y]):
                    whole = whole or super().display
                    rows[y] = whole[y]
            self._rows = rows
            self.dirty.clear()
        return self._rows


class QuickStream:
    """A stream that dispatches plain text and whole control sequences at once."""

    def __init__(self, screen: QuickScreen) -> None:
        self._screen = screen
        self._stream = pyte.Stream(screen)
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._left = ""
        """The beginning of a sequence whose end has not come yet."""

    def feed(self, data: bytes) -> None:
        text, offset = self._left + self._decoder.decode(data), 0
        self._left = ""
        while offset < len(text):
            if found := _SEQUENCE.match(text, offset):
                method = getattr(self._screen, self._stream.csi[found[2]])
                method(*_parameters(found[1]))
            elif found := _TEXT.match(text, offset):
                self._screen.draw(found[0])
            elif found := _OTHER.match(text, offset):
                self._stream.feed(found[0])
            else:
                self._left = text[offset:]
                return
            offset = found.end()


@lru_cache(maxsize=10_000)
def _parameters(written: str) -> tuple[int, ...]:
    return tuple(min(int(each or 0), 9999) for each in written.split(";"))


_NARROW: Final[set[str]] = set()


def _are_narrow(text: str) -> bool:
    """True when each of its characters takes one cell."""
    unknown = set(text) - _NARROW
    if not unknown:
        return True
    _NARROW.update(each for each in unknown if wcwidth(each) == 1)
    return unknown <= _NARROW
