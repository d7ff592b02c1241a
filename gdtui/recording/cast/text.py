"""Lines of a cast file: the header, and one line for each frame.

The format is described at https://docs.asciinema.org/manual/asciicast/v2/.
"""

import json

_CLEAR = "\x1b[?25l\x1b[0m\x1b[H\x1b[2J"
"""The first frame: an empty screen without a cursor."""


def header(columns: int, rows: int, title: str) -> str:
    """The first lines of a cast; no date, so that the same recording has the same bytes."""
    fields = {
        "version": 2,
        "width": columns,
        "height": rows,
        "title": title,
        "env": {"TERM": "xterm-256color"},
    }
    return _line(fields) + event(0.0, _CLEAR)


def event(seconds: float, sequences: str) -> str:
    """The line for a frame."""
    return _line([round(seconds, 3), "o", sequences])


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
