"""Writes a changed span to the terminal from where it begins, not from the left edge of its widget.

Textual 8.2 crops a partial update on the right only: one new dot at the right end of a chart sends
the whole line, and two spans of a line send its left part twice. Measured with three variants in
training at 160×45: 200 KiB/s before, see `tests/benchmarks/watching.py` for what it is now. A
Textual that is built otherwise is left alone.
"""

from typing import Any

from rich.console import Console
from rich.control import Control


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
    written: list[str] = []
    for y, start, stop in update.spans:
        for end, (left, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            first, last = max(start, left), min(stop, end)
            if strip is None or first >= last:
                continue
            written.append(Control.move_to(first, y).segment.text)
            written.append(strip.crop(first - left, last - left).render(console))
    return "".join(written)
