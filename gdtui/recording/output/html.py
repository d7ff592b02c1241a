"""A recording as a page that plays it in a browser and loads nothing from outside."""

import json
from collections import Counter
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from gdtui.recording.cast.footage import Footage
from gdtui.recording.emulator.screen import TerminalScreen
from gdtui.recording.raster.geometry import box_arms

_FONTS: Final = (
    '"DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", "Noto Sans Mono", monospace'
)
_DARK: Final = ("#101010", "#d8d8d8")
"""Paper and ink of cells that name none."""
_BRIGHT: Final = 128 * 3


def html(footage: Footage, title: str) -> bytes:
    """The page."""
    paper, ink = _colours(footage)
    recording = {
        "columns": footage.columns,
        "rows": footage.rows,
        "seconds": footage.seconds,
        "frames": [(round(at, 3), sequences) for at, sequences in footage.frames if sequences],
        "ink": ink,
        "paper": paper,
        "fonts": _FONTS,
        "arms": box_arms(),
    }
    packed = json.dumps(recording, ensure_ascii=False, separators=(",", ":"))
    page = Template(_read("player.html")).substitute(
        title=escape(title),
        scheme="light" if _is_bright(paper) else "dark",
        page=paper,
        ink=ink,
        fonts=_FONTS,
        recording=packed.replace("<", "\\u003c"),  # a name may hold </script>
        player=_read("player.js"),
    )
    return page.encode()


def _read(name: str) -> str:
    return files("gdtui.recording.output").joinpath(name).read_text("utf-8")


def _colours(footage: Footage) -> tuple[str, str]:
    """The most frequent background of the last screen, and an ink that can be read on it."""
    screen = TerminalScreen(footage.columns, footage.rows)
    for _, sequences in footage.frames:
        screen.feed(sequences)
    found = Counter(style.background for row in screen.styles for style in row if style.background)
    paper = found.most_common(1)[0][0] if found else _DARK[0]
    return paper, "#202020" if _is_bright(paper) else _DARK[1]


def _is_bright(colour: str) -> bool:
    return sum(bytes.fromhex(colour.removeprefix("#"))) > _BRIGHT
