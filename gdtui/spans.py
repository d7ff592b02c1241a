"""Writes a changed span to the terminal from where it begins, not from the left edge of its widget.

Textual 8.2 crops a partial update on the right only: one new dot at the right end of a chart sends
the whole line, and two spans of a line send its left part twice. Measured with three variants in
training at 160×45: 200 KiB/s before, see `tests/benchmarks/watching.py` for what it is now. A
Textual that is built otherwise is left alone.
"""

from collections.abc import Iterator
from typing import Any

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from textual.strip import Strip


def install() -> None:
    """From now on partial updates are cropped on both sides. Once is enough; twice does no harm."""
    try:
        from textual._compositor import ChopsUpdate
    except ImportError:
        return
    if {"chops", "spans", "chop_ends"} <= set(ChopsUpdate.__init__.__annotations__):
        ChopsUpdate.render_segments = _render_segments  # type: ignore[assignment]


def _render_segments(update: Any, console: Console) -> str:
    """The escape sequences that paint the changed spans, and nothing else."""
    colours = COLOR_SYSTEMS[console.color_system or "truecolor"]
    written: list[str] = []
    for y, start, stop in update.spans:
        for end, (left, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            first, last = max(start, left), min(stop, end)
            if strip is None or first >= last:
                continue
            written.append(f"\x1b[{y + 1};{first + 1}H")
            written += _cells(strip, first - left, last - left, colours)
    return "".join(written)


def _cells(strip: Strip, start: int, stop: int, colours: ColorSystem) -> Iterator[str]:
    """The cells start…stop−1 as escape sequences, without the strip and its caches that a crop makes."""
    end = 0
    for segment in strip:
        left, end = end, end + segment.cell_length
        if end <= start or left >= stop:
            continue
        if end > stop:
            segment, _ = segment.split_cells(stop - left)
        if left < start:
            _, segment = segment.split_cells(start - left)
        text, style = segment.text, segment.style
        yield text if style is None else strip.render_style(style, text, colours)
