"""The title in a chart's upper border, and the legend in the lower. Without numpy and plotext.

In the border, they hide no data, and nothing moves when they appear.
"""

from typing import TYPE_CHECKING, Final

from textual.content import Content

from gdtui.chart.scene.layout import clean
from gdtui.chart.scene.shortening import shortened

if TYPE_CHECKING:
    from gdtui.chart.scene.picture import Picture, Series

_LINE: Final = "━ "
_FAINT: Final = "┄ faint: "
_EPOCH: Final = "┊ epoch"
_GAP: Final = 2
_SHORT: Final = 9
"""Cells per name if there is only room for short names."""

LegendEntry = tuple[str, str]
"""A text and its colour, `#rrggbb`; "" means the ink of labels."""


def legend(picture: "Picture", width: int) -> list[LegendEntry]:
    """The entries in at most `width` cells: all, else the names, else short names, else none."""
    vivid = [series for series in picture.series if not series.faint]
    has_ghosts = len(vivid) < len(picture.series)
    if len(vivid) < 2 and not has_ghosts:
        return []
    names = [(_mark(series) + clean(series.label), series.colour) for series in vivid]
    extras = [(_FAINT + clean(picture.faint), "")] * has_ghosts + [(_EPOCH, "")] * bool(
        picture.rules
    )
    few = shortened(tuple(clean(series.label) for series in vivid), _SHORT)
    short = [(_mark(series) + name, series.colour) for series, name in zip(vivid, few, strict=True)]
    choices = (names + extras, names + extras[:1], names, short)
    return next((entries for entries in choices if _length(entries) <= width), [])


def _mark(series: "Series") -> str:
    return f"{series.number} " if series.number else _LINE


def legend_line(room: int, name: str, entries: list[LegendEntry], ink: str, edge: str) -> Content:
    """A line of `room` cells: entries on the left, then the border, the name of x on the right."""
    if not entries:
        return Content(name)
    left = Content(" " * _GAP).join(Content.styled(text, colour or ink) for text, colour in entries)
    right = f" {name}" if name else ""
    line = "─" * max(room - left.cell_length - 1 - len(right), 0)
    return left + Content(" ") + Content.styled(line, edge) + Content(right)


def _length(entries: list[LegendEntry]) -> int:
    return sum(len(text) for text, _ in entries) + _GAP * (len(entries) - 1)


def title_line(title: str, part: str, is_good_news: bool) -> Content:
    """The title with this part of it in bold and, if it is good news, in the colour of success."""
    before, found, after = clean(title).partition(clean(part)) if part else (clean(title), "", "")
    style = "bold $success" if is_good_news else "bold"
    return Content.assemble(before, (found, style), after)
