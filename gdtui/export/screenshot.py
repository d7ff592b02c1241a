"""Saves the screen as SVG and text, and one chart as text, HTML and, with matplotlib, as PNG.

The files are written to the directory of the run or sweep on screen, or to the current directory if
several are shown or the run's directory is not writable. Nothing is ever overwritten, and if not
all files can be written, none is left.
"""

import os
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from html import escape, unescape
from itertools import count
from pathlib import Path
from typing import Final

from rich.text import Text
from textual.theme import Theme

from engine.log.filesystem.safe_open import directory_opened, make_directory, write_all
from engine.settings.text import clean
from gdtui.chart.drawing.frame import PAPER, FrameInks, still, still_html
from gdtui.chart.scene.layout import room
from gdtui.chart.scene.palette import COLOURS, INK
from gdtui.chart.scene.picture import Picture
from gdtui.chart.scene.polyline import EMPTY
from gdtui.control.viewer import Viewer
from gdtui.plot.format import FORMATS
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.store import Store
from gdtui.view import pictures
from gdtui.view.focus import focused
from gdtui.view.pictures import AxisRanges, ChartSize
from gdtui.view.view_state import ViewState

FOLDER: Final = "stills"
WIDTH, HEIGHT = 120, 36
"""Size of a chart, in cells."""
_DPI: Final = 120
_CELL: Final = 12.2
"""The width of a cell in rich's SVG."""
_SVG_TEXT: Final = re.compile(r'<text class="[^"]*" x="([\d.]+)"[^>]*-line-(\d+)\)">([^<]*)</text>')
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ background: {background}; color: {foreground}; margin: 2em; }}
pre, p {{ font: 14px/1.2 "DejaVu Sans Mono", Menlo, Consolas, monospace; }}
</style>
</head>
<body>
{chart}
<p>{title}</p>
</body>
</html>
"""


class StillsError(Exception):
    """An error that prevented saving; the message says why."""


def save(viewer: Viewer, svg: str, size: tuple[int, int], theme: Theme) -> str:
    """Save the screen and the viewer's selected chart; return a message that says where.

    `svg` is the screen, of `size` columns and rows. May raise StillsError.
    """
    shown, view, store = viewer.shown, viewer.view, viewer.store
    epoch = store.slowest.tally.epoch
    stem = f"{time.strftime('%Y%m%d-%H%M%S')}-epoch{epoch}"
    name, picture = selected_chart(store, view, shown)
    bare = replace(view, colours=(INK,) * COLOURS, raw=view.raw or view.selected is not None)
    title = f"{store.title} · {picture.title} · epoch {epoch}"
    texts = {
        "screen.svg": svg,
        "screen.txt": text_of(svg, *size),
        f"{name}.txt": plain(selected_chart(store, bare, shown)[1]),
        f"{name}.html": page(picture, title, theme),
    }
    files: dict[str, str | bytes] = {**texts}
    if (image := _png(picture, title, theme)) is not None:
        files[f"{name}.png"] = image
    return write(shown.folders(FOLDER), stem, files)


def selected_chart(store: Store, view: ViewState, shown: ShownRuns) -> tuple[str, Picture]:
    """The chart of the selected variant, or the overlay, in the size of a still.

    The first result is its name as used in file names.
    """
    overlay, _ = pictures.overlay(store, view, _canvas(None), AxisRanges())
    canvas = _canvas(overlay)
    if view.selected is None:
        return "overlay", pictures.overlay(store, view, canvas, AxisRanges())[0]
    one = store.states[view.selected]
    picture, _ = focused(store, one, view, canvas, AxisRanges())
    return shown.file_stem(one.tally.name), picture


def _canvas(picture: Picture | None) -> ChartSize:
    """The size left for data in a still, after y labels, title and the name of x."""
    canvas = room(picture.y if picture else None, WIDTH, HEIGHT - 2)
    return ChartSize(2 * canvas.width, canvas.width, canvas.height)


def _png(picture: Picture, title: str, theme: Theme) -> bytes | None:
    """The chart for a slide; None without matplotlib, or before there is a loss to draw."""
    if picture.message:
        return None
    try:
        from gdtui.plot.drawing import drawn
    except ImportError:
        return None
    return drawn(picture, theme, FORMATS["16:9"], ".png", dpi=_DPI, title=title)


def text_of(svg: str, width: int, height: int) -> str:
    """The screen's text, extracted from its SVG, the only form in which Textual provides it."""
    rows = [[" "] * width for _ in range(height)]
    for x, row, text in _SVG_TEXT.findall(svg):
        start = round(float(x) / _CELL)
        for column, character in enumerate(
            unescape(text).replace("\N{NO-BREAK SPACE}", " "), start=start
        ):
            if int(row) < height and column < width:
                rows[int(row)][column] = character
    return "\n".join("".join(row).rstrip() for row in rows) + "\n"


def page(picture: Picture, title: str, theme: Theme) -> str:
    """A self-contained HTML page in the theme's colours."""
    variables = theme.variables
    inks = FrameInks(axis=variables["axis"], label=variables["label"], grid=variables["grid"])
    return _PAGE.format(
        title=escape(title),
        background=theme.background,
        foreground=theme.foreground,
        chart=still_html(picture, WIDTH, HEIGHT, inks).strip(),
    )


def plain(picture: Picture) -> str:
    """Text without colours: lines are numbered, and bands, which would hide them, left out."""
    picture = replace(picture, series=tuple(replace(one, band=EMPTY) for one in picture.series))
    ansi = still(picture, WIDTH, HEIGHT, PAPER)
    lines = Text.from_ansi(ansi).plain.split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"


def write(directories: Iterable[Path], stem: str, files: Mapping[str, str | bytes]) -> str:
    """Write all files, named after `stem`, to the first writable directory; return where.

    Raises StillsError if no directory is writable.
    """
    refusals = []
    for directory in directories:
        try:
            with suppress(FileExistsError):
                make_directory(directory)
            with directory_opened(directory) as folder:
                name = _write(folder, stem, files)
        except OSError as error:
            refusals.append(f"{directory.absolute()}: {error.strerror}")
        else:
            return clean(f"saved {', '.join(files)} as {name}-… in {directory.absolute()}")
    raise StillsError(clean(f"nothing was saved: {'; '.join(refusals)}"))


def _write(folder: int, stem: str, files: Mapping[str, str | bytes]) -> str:
    """Write the files into an open directory; return the stem used, which was free."""
    taken = os.listdir(folder)
    numbered = (f"{stem}_{number}" if number > 1 else stem for number in count(1))
    name = next(name for name in numbered if not any(each.startswith(f"{name}-") for each in taken))
    write_all({f"{name}-{end}": _bytes(content) for end, content in files.items()}, folder)
    return name


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
