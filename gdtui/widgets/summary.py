"""The results when all variants have ended, in the place of the panels.

Every key still works meanwhile.
"""

from typing import TYPE_CHECKING

from textual.content import Content

from gdtui.chart.scene.palette import COLOURS
from gdtui.chart.scene.shortening import shortened
from gdtui.widgets.line import Line

if TYPE_CHECKING:
    from gdtui.state.store import Store
    from gdtui.view.text.results_panel import ResultRow

_NEXT = "S restarts all with the next lr scaling · r restarts · c continues"

_WIDTHS = {"noise σ": 8, "validation": 11, "gap": 8, "last epoch": 11, "updates": 8, "training": 10}
"""Cells of a column of figures: with a name of 12 all that there can be fit into 80."""
_WIDTH = 9
"""Cells of any other column."""
_ROOMY = 2
"""More cells of every column, where the settings have room, too."""
_FRAME = 4
"""Cells of border and padding."""
_AROUND = 14
"""Rows of the border, the heading, the screen's first and last line, and the least of a chart."""
_LEAST = 6
"""Minimum width of a name in cells."""


class Summary(Line):
    """A table, a sentence, and what to press next."""

    def on_mount(self) -> None:
        self.border_title = "results"
        self.border_subtitle = "i or esc: back to the variants"

    def show_results(self, store: "Store", *, is_ours: bool) -> None:
        """Show the results of this run and, if `is_ours`, what can be done with it now."""
        from gdtui.view.text.results_panel import (  # imports numpy, so not before the first frame
            SETTINGS,
            conclusion,
            headings,
            rows,
        )

        size, found = self.app.size, rows(store)
        below = _wrapped(conclusion(store), size.width - _FRAME)
        if is_ours:
            below.append(Content.styled(_NEXT, "$quiet"))
        number_width = len(str(len(found))) + 1
        longest, room = max(len(row.name) for row in found) + 2, size.width - _FRAME - number_width
        heads = (*SETTINGS, *headings(store))
        widths = tuple(_WIDTHS.get(heading, _WIDTH) + _ROOMY for heading in heads)
        if hidden := len(SETTINGS) if room - sum(widths) < longest else 0:
            heads = heads[hidden:]
            widths = tuple(width - _ROOMY for width in widths[hidden:])
        name_width = min(longest, max(room - sum(widths), _LEAST))
        head = " " * (number_width + name_width) + _cells(heads, widths)
        names = shortened(tuple(row.name for row in found), name_width - 1)
        table = [
            _line(row, number_width, f"{name:<{name_width}}")
            + Content(_cells((*row.settings, *row.cells)[hidden:], widths))
            for row, name in zip(found, names, strict=True)
        ]
        table = _cut(table, size.height - _AROUND - len(below))
        lines = [Content.styled(head, "$quiet"), *table, *below]
        self.update(Content("\n").join(lines))


def _cut(table: list[Content], room: int) -> list[Content]:
    """The lines that fit, and the number of those that do not."""
    if len(table) <= room:
        return table
    shown = table[: max(room - 1, 1)]
    return [*shown, Content.styled(f"… and {len(table) - len(shown)} more", "$quiet")]


def _wrapped(text: str, width: int) -> list[Content]:
    return list(Content(text).wrap(max(width, 1)))


def _line(row: "ResultRow", number_width: int, name: str) -> Content:
    colour = f"bold $variant-{row.hue % COLOURS + 1}"
    number = f"{row.index + 1:<{number_width}}"
    return Content.styled(f"{number}{name}", colour)


def _cells(cells: tuple[str, ...], widths: tuple[int, ...]) -> str:
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
