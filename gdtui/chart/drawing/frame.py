"""Plotext's part: axes, ticks, titles and grid around the live canvas, and whole still charts.

The only module that imports plotext, and only when the first chart has data (60 ms). plotext only
receives finite numbers inside their limits: a NaN aborts the process, a value far outside costs
gigabytes, and a 0 on a log axis raises, so log axes are passed as logarithms.
"""

import math
import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, Final

from gdtui.chart.drawing.parts.undocumented import undocumented
from gdtui.chart.scene.axes import drawable
from gdtui.chart.scene.layout import BELOW, GUTTER, Room, clean, places, room
from gdtui.chart.scene.palette import blend
from gdtui.chart.scene.picture import Picture, Scale, Series
from gdtui.chart.scene.polyline import Polyline

_WHITE: Final = re.compile(r"\x1b\[48;5;15m")
"""plotext's background for text without one; a still uses that of the terminal or the page."""
_WHITE_HTML: Final = re.compile(r"background:rgb\(255, ?255, ?255\);")
_NO_LABEL: Final = "\N{NO-BREAK SPACE}"
"""Reserves the room for the labels of an axis without ticks: plain spaces make plotext fail."""
_ANY: Final = Scale(0.0, 1.0)
_MIDDLE: Final = "#808080"
KEPT_FRAMES: Final = 32
"""Most frames kept to be shown again: enough for all charts of a few screens."""
_SGR: Final = re.compile(r"\x1b\[([0-9;]*)m")


@dataclass(frozen=True, slots=True)
class FrameInks:
    """The theme's colours, each `#rrggbb`."""

    axis: str
    label: str
    grid: str


PAPER: Final = FrameInks(axis="#7f8790", label="#7f8790", grid="#c9ced6")
"""Greys that are legible on black and on white."""


Drawn = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]
"""The rows drawn by plotext, and their colours."""


@dataclass(frozen=True, slots=True)
class ChartFrame:
    """The drawn frame, and the position of the canvas in it."""

    rows: tuple[str, ...]
    colours: tuple[tuple[str, ...], ...]
    """A `#rrggbb` for each character; "" for a blank."""
    canvas: Room


def frame(x: Scale, y: Scale, width: int, height: int, inks: FrameInks) -> ChartFrame:
    """The frame of a chart of width × height cells (large enough for one, see `layout.room`).

    Composed of two cached frames: while a run is growing, x changes and y does not.
    """
    canvas = room(y, width, height)
    rows, colours = _beside(y, width, height, inks)
    rows_below, colours_below = _below(x, canvas.left - 1, width, inks)
    return ChartFrame(
        rows[: canvas.height] + rows_below[-BELOW:],
        colours[: canvas.height] + colours_below[-BELOW:],
        canvas,
    )


def frame_at_once(x: Scale, y: Scale, width: int, height: int, inks: FrameInks) -> Drawn:
    """The frame as plotext draws it in one go, which takes longer than `frame`, but is equal."""
    figure = _figure(width, height, inks)
    _set_ruler(figure, "x", x, inks)
    _set_ruler(figure, "y", y, inks)
    figure.ruler("y", "left").grid(True, style="dotted", pixel=_pixel(inks.grid))
    return _read(figure.build().string(), width)


@lru_cache(maxsize=KEPT_FRAMES)
def _beside(y: Scale, width: int, height: int, inks: FrameInks) -> Drawn:
    """A frame with an arbitrary x: down to the end of its canvas, it is the same for every x."""
    return frame_at_once(_ANY, y, width, height, inks)


@lru_cache(maxsize=KEPT_FRAMES)
def _below(x: Scale, gutter: int, width: int, inks: FrameInks) -> Drawn:
    """A low frame without y labels; below its canvas, it fits any y with labels of equal width."""
    figure = _figure(width, 1 + BELOW, inks)
    _set_ruler(figure, "x", x, inks)
    _set_ruler(figure, "y", _ANY, inks, gutter)
    return _read(figure.build().string(), width)


def still(picture: Picture, width: int, height: int, inks: FrameInks = PAPER) -> str:
    """The picture drawn entirely by plotext, as ANSI text: lines, points, marks and legend."""
    text: str = _WHITE.sub("", _drawn(picture, width, height, inks).string())
    return text


def still_html(picture: Picture, width: int, height: int, inks: FrameInks) -> str:
    """The still as HTML: one `<pre>` with the page's own background."""
    text: str = _WHITE_HTML.sub("", _drawn(picture, width, height, inks).html())
    return text


def _drawn(picture: Picture, width: int, height: int, inks: FrameInks) -> Any:
    """The whole figure, as plotext's matrix."""
    picture = replace(picture, x=drawable(picture.x), y=drawable(picture.y))
    figure = _figure(width, height, inks)
    _set_ruler(figure, "x", picture.x, inks)
    _set_ruler(figure, "y", picture.y, inks)
    for title, setter in ((picture.title, figure.title), (picture.x.title, figure.label)):
        if clean(title).strip():
            setter(library().colorize(clean(title)).fill(_pixel(inks.label)))
    for rule in picture.rules:
        _add_upright(figure, picture, rule, inks.grid)
    for mark in picture.marks:
        _add_upright(figure, picture, mark.x, mark.colour)
    _add_series(figure, picture, room(picture.y, width, height).width)
    if len(picture.series) > 1:
        right = room(picture.y, width, height).width - 1
        figure.legend(True, x=right, y=0, ha="right", pixel=_pixel(inks.label))
    else:
        figure.legend(False)
    return figure.build()


def _add_upright(figure: Any, picture: Picture, x: float, colour: str) -> None:
    if _inside(x, picture.x):
        at = _value(picture.x, x)
        figure.line(at, orientation="vertical", style="dotted", pixel=_pixel(colour))


def _add_series(figure: Any, picture: Picture, width: int) -> None:
    """Bands and bars, then ghosts, then lines, then points: plotext's later signals lie on top."""
    for series in picture.series:
        for strokes in (series.band, series.bars):
            _add_strokes(figure, picture, strokes, blend(series.colour, _MIDDLE, 0.5), width)
    for series in sorted(picture.series, key=lambda series: not series.faint):
        colour = blend(series.colour, _MIDDLE, 0.5) if series.faint else series.colour
        label = "" if series.faint else clean(f"{series.number} {series.label}")
        _add_line(figure, picture, series.line, colour, label)
    for series in picture.series:
        _add_points(figure, picture, series)
    numbered = [series for series in picture.series if series.number]
    for turn, series in enumerate(numbered):
        _add_numbers(figure, picture, series, places(turn, len(numbered), width), width)


def _add_strokes(figure: Any, picture: Picture, line: Polyline, colour: str, width: int) -> None:
    """Draw an upright stroke per cell: half as dense as possible, but with every extreme."""
    marker = _marker("braille", colour)
    for x, ys in _by_cell(line, picture, width).values():
        figure.draw(figure.signal([x, x], [min(ys), max(ys)], marker=marker).lines())


def _add_line(figure: Any, picture: Picture, line: Polyline, colour: str, label: str = "") -> None:
    """Draw a signal for each piece between gaps; a range becomes a stroke from low to high."""
    for xs, ys in _pieces(line, picture):
        signal = figure.signal(xs, ys, marker=_marker("braille", colour)).lines()
        if label.strip():
            signal.label(label)
            label = ""
        figure.draw(signal)


def _add_points(figure: Any, picture: Picture, series: Series) -> None:
    for polyline, symbol in ((series.validation, "◇"), (series.points, "◆")):
        inside = [
            (_value(picture.x, x), _value(picture.y, y))
            for x, y in zip(polyline.x.tolist(), polyline.high.tolist(), strict=True)
            if _inside(x, picture.x) and _inside(y, picture.y)
        ]
        if inside:
            xs, ys = ([pair[axis] for pair in inside] for axis in (0, 1))
            figure.draw(figure.signal(xs, ys, marker=_marker(symbol, series.colour)))


def _add_numbers(figure: Any, picture: Picture, series: Series, columns: range, width: int) -> None:
    """The series' number in these columns of cells, where its line passes them."""
    by_cell = _by_cell(series.line, picture, width)
    found = [by_cell[column] for column in columns if column in by_cell]
    if found:
        xs, ys = [x for x, _ in found], [(min(ys) + max(ys)) / 2 for _, ys in found]
        figure.draw(figure.signal(xs, ys, marker=_marker(series.number, series.colour)))


def _by_cell(line: Polyline, picture: Picture, width: int) -> dict[int, tuple[float, list[float]]]:
    """The line's first x and every y in each column of cells."""
    low, high = (_value(picture.x, bound) for bound in (picture.x.low, picture.x.high))
    cells: dict[int, tuple[float, list[float]]] = {}
    for xs, ys in _pieces(line, picture):
        for x, y in zip(xs, ys, strict=True):
            cells.setdefault(math.floor((x - low) / (high - low) * width), (x, []))[1].append(y)
    return cells


def _pieces(line: Polyline, picture: Picture) -> list[tuple[list[float], list[float]]]:
    pieces: list[tuple[list[float], list[float]]] = []
    is_open = False
    for x, low, high in zip(line.x.tolist(), line.low.tolist(), line.high.tolist(), strict=True):
        if not (math.isfinite(low) and math.isfinite(high) and math.isfinite(x)):
            is_open = False
            continue
        if not is_open:
            pieces.append(([], []))
            is_open = True
        xs, ys = pieces[-1]
        for y in (low,) if low == high else (low, high):
            xs.append(_near(picture.x, x))
            ys.append(_near(picture.y, y))
    return pieces


def _near(scale: Scale, value: float) -> float:
    """The value for plotext, at most one range outside the axis."""
    low, high = _value(scale, scale.low), _value(scale, scale.high)
    if scale.log and value <= 0:
        return low - (high - low)
    return min(max(_value(scale, value), low - (high - low)), high + (high - low))


def _marker(symbol: str, colour: str) -> Any:
    return library().marker(symbol, pixel=_pixel(colour))


@cache
def library() -> Any:
    """The library plotext; from any thread. Its documentation takes two thirds of its import."""
    with undocumented("plotext._doc.doc"):
        import plotext  # type: ignore[import-untyped]

    plotext.terminal.limit(False, False)  # else every size is cut to that of the tty
    return plotext


def _pixel(colour: str) -> Any:
    return library().pixel(tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)), "default")


def _figure(width: int, height: int, inks: FrameInks) -> Any:
    figure = library().figure
    figure.clear()
    figure.plot_size(width, height)
    figure.canvas("default")
    figure.axes(True, style="default", pixel=_pixel(inks.axis))
    figure.axes(False, axis="x", side="upper")
    figure.axes(False, axis="y", side="right")
    return figure


def _set_ruler(figure: Any, axis: str, scale: Scale, inks: FrameInks, gutter: int = GUTTER) -> None:
    ruler = figure.ruler(axis, "lower" if axis == "x" else "left")
    low, high = _value(scale, scale.low), _value(scale, scale.high)
    labels = [
        (_value(scale, v), clean(text).strip()) for v, text in scale.ticks if _inside(v, scale)
    ]
    ticks = [(value, text) for value, text in labels if text]
    if axis == "y":
        ticks = [(value, text.rjust(gutter)) for value, text in ticks]
    ticks = ticks or [(low, _NO_LABEL * (gutter if axis == "y" else 1))]
    ruler.pixel(_pixel(inks.label))
    ruler.lim(low, high).alignment(lim="edge")
    ruler.ticks([value for value, _ in ticks], labels=[text for _, text in ticks])


def _value(scale: Scale, value: float) -> float:
    return math.log10(value) if scale.log else value


def _inside(value: float, scale: Scale) -> bool:
    return math.isfinite(value) and scale.low <= value <= scale.high


def _read(text: str, width: int) -> Drawn:
    """plotext's ANSI text as characters and colours."""
    rows, colours = [], []
    for line in text.rstrip("\n").split("\n"):
        characters, inks, ink, at = "", [], "", 0
        for match in [*_SGR.finditer(line), None]:
            part = line[at : match.start() if match else len(line)]
            characters += part
            inks += [ink] * len(part)
            if match:
                ink, at = _ink(match.group(1), ink), match.end()
        rows.append(characters.replace(_NO_LABEL, " ").ljust(width)[:width])
        colours.append(tuple((inks + [""] * width)[:width]))
    return tuple(rows), tuple(colours)


def _ink(code: str, ink: str) -> str:
    if code.startswith("38;2;"):
        return "#" + "".join(f"{int(channel):02x}" for channel in code.split(";")[2:5])
    return "" if code in ("", "0") else ink
