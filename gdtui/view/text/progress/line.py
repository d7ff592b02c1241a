"""The progress of a command as one line of text, to be redrawn or to be printed regularly."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from rich.cells import cell_len

from gdtui.view.text.formatting import clock

_BARS: Final = (20, 10, 0)
"""Widths of the bar in cells; the widest that fits is used."""
_BETWEEN: Final = " · "
_IN_ASCII: Final = str.maketrans({"━": "#", "─": "-", "·": "|", "…": "..."})
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandProgress:
    """The progress of a command at one moment."""

    share: float | None
    """Completed share, 0 to 1; None for work of unlimited length."""
    elapsed: float
    """Seconds since the start."""
    left: float | None
    """Seconds until the end; None while unknown."""
    activities: tuple[str, ...]
    """Descriptions of the current work, longest first; the first one that fits is shown."""


def line(name: str, progress: CommandProgress, width: int) -> str:
    """The progress in at most `width` cells: a bar and the current work as far as they fit."""
    figures = _figures(progress)
    heads = [_bar(progress.share, cells) for cells in _BARS]
    for activity, bar in product((*progress.activities, ""), heads):
        text = _joined((name, bar), figures, activity)
        if cell_len(text) <= width:
            return text
    shortest = (_BETWEEN.join(figures), _BETWEEN.join(figures[::2]), *reversed(figures))
    return next((text for text in shortest if len(text) <= width), "")


def sentence(progress: CommandProgress) -> str:
    """The progress in full, for a log."""
    return _joined((), _figures(progress), progress.activities[0] if progress.activities else "")


def in_ascii(text: str) -> str:
    """The line for a terminal or a file that only supports ASCII."""
    return text.translate(_IN_ASCII).encode("ascii", "replace").decode()


def _joined(head: Sequence[str], figures: Sequence[str], activity: str) -> str:
    said = _BETWEEN.join((*figures, activity) if activity else figures)
    return "  ".join((*filter(None, head), said))


def _figures(progress: CommandProgress) -> tuple[str, ...]:
    """Share done, time taken, time left."""
    elapsed = clock(progress.elapsed)
    if progress.share is None:
        return (elapsed,)
    return (f"{int(progress.share * 100)}%", elapsed, _left(progress.left))


def _left(seconds: float | None) -> str:
    if seconds is None:
        return "estimating…"
    if seconds >= 2 * _DAY:
        return f"{seconds / _DAY:,.0f} days left"
    return f"{clock(seconds)} left"


def _bar(share: float | None, cells: int) -> str:
    if share is None:
        return ""
    full = int(share * cells)
    return "━" * full + "─" * (cells - full)
