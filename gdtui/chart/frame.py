"""What plotext draws: axes, ticks, titles and grid around the live canvas, and whole still charts.

The only place that imports plotext, and only when the first chart has data (155 ms). It is fed with
finite numbers inside their limits alone: a NaN aborts the process, a value far outside costs
gigabytes, a 0 on a log axis raises; log axes are therefore handed over as logarithms.
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from gdtui.chart.layout import GUTTER, Room, clean, room
from gdtui.chart.picture import Scale

_SGR: Final = re.compile(r"\x1b\[([0-9;]*)m")


@dataclass(frozen=True, slots=True)
class Inks:
    """The theme's colours, each `#rrggbb`."""

    axis: str
    label: str
    grid: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The drawn frame, and where in it the canvas lies."""

    rows: tuple[str, ...]
    colours: tuple[tuple[str, ...], ...]
    """One `#rrggbb` a character, or "" where there is nothing."""
    canvas: Room


@lru_cache(maxsize=32)
def frame(x: Scale, y: Scale, width: int, height: int, inks: Inks) -> Frame:
    """The frame of a chart of width × height cells (large enough for one, see `layout.room`)."""
    figure = _figure(width, height, inks)
    _set_ruler(figure, "x", x, inks)
    _set_ruler(figure, "y", y, inks)
    figure.ruler("y", "left").grid(True, style="dotted", pixel=_pixel(inks.grid))
    rows, colours = _read(figure.build().string(), width)
    return Frame(rows, colours, room(y, width, height))


def _plotext() -> Any:
    import plotext  # type: ignore[import-untyped]

    plotext.terminal.limit(False, False)  # else every size is cut to that of the tty
    return plotext


def _pixel(colour: str) -> Any:
    return _plotext().pixel(tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)), "default")


def _figure(width: int, height: int, inks: Inks) -> Any:
    figure = _plotext().figure
    figure.clear()
    figure.plot_size(width, height)
    figure.canvas("default")
    figure.axes(True, style="default", pixel=_pixel(inks.axis))
    figure.axes(False, axis="x", side="upper")
    figure.axes(False, axis="y", side="right")
    return figure


def _set_ruler(figure: Any, axis: str, scale: Scale, inks: Inks) -> None:
    ruler = figure.ruler(axis, "lower" if axis == "x" else "left")
    low, high = _value(scale, scale.low), _value(scale, scale.high)
    ticks = [(_value(scale, v), clean(text)) for v, text in scale.ticks if _inside(v, scale)]
    if axis == "y":
        ticks = [(value, text.rjust(GUTTER)) for value, text in ticks]
        ticks = ticks or [(low, " " * GUTTER)]
    ruler.pixel(_pixel(inks.label))
    ruler.lim(low, high).alignment(lim="edge")
    ruler.ticks([value for value, _ in ticks], labels=[text for _, text in ticks])


def _value(scale: Scale, value: float) -> float:
    return math.log10(value) if scale.log else value


def _inside(value: float, scale: Scale) -> bool:
    return math.isfinite(value) and scale.low <= value <= scale.high


def _read(text: str, width: int) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
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
        rows.append(characters.ljust(width)[:width])
        colours.append(tuple((inks + [""] * width)[:width]))
    return tuple(rows), tuple(colours)


def _ink(code: str, ink: str) -> str:
    if code.startswith("38;2;"):
        return "#" + "".join(f"{int(channel):02x}" for channel in code.split(";")[2:5])
    return "" if code in ("", "0") else ink
