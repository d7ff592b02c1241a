"""Cuts the bytes of a console into texts: lines, redrawn bars, and the parts between them.

A carriage return, a backspace and a cursor movement end a text as a line feed does, since the
program then draws something else there. Colours and titles are removed. The same bytes yield the
same texts, however they are divided among calls.
"""

import re
from collections.abc import Iterator
from typing import Final

MOST_BYTES: Final = 1 << 13
"""Longest text that is read; the rest of a longer line is ignored."""
_TAIL: Final = 64
"""Bytes kept of the rest of a long line: more than the longest sequence that ends a text."""
_END: Final = re.compile(rb"[\n\r\b\v\f]|\x1b\[[0-9;?]{0,16}[ABDEFGHJKSTdfsu]|\x1b[78DEMc]")
_FORWARD: Final = re.compile(rb"\x1b\[[0-9]{0,16}C")
_ESCAPE: Final = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]"
)


class Segments:
    """The texts of a stream of bytes, as they become complete."""

    def __init__(self) -> None:
        self._open = b""
        """The bytes after the last end of a text; of a long text, the last ones."""
        self._head: bytes | None = None
        """The beginning of the text that has begun, if that is too long; else None."""

    def feed(self, data: bytes) -> Iterator[str]:
        """The texts that these bytes complete, without blank ones."""
        first, *others = _END.split(self._open + data)
        if not others:
            self._keep(first)
            return
        if text := _text(first if self._head is None else self._head):
            yield text
        self._head = None
        for part in others[:-1]:
            if text := _text(part):
                yield text
        self._keep(others[-1])

    def _keep(self, rest: bytes) -> None:
        if len(rest) > MOST_BYTES and self._head is None:
            self._head = rest[:MOST_BYTES]
        self._open = rest if self._head is None else rest[-_TAIL:]

    def finish(self) -> Iterator[str]:
        """The text that had begun when the stream ended."""
        rest, self._open = self._head or self._open, b""
        self._head = None
        if text := _text(rest):
            yield text


def _text(part: bytes) -> str:
    part = part[:MOST_BYTES]
    if b"\x1b" in part:
        part = _ESCAPE.sub(b"", _FORWARD.sub(b" ", part))
    return part.decode("utf-8", "replace").strip()
