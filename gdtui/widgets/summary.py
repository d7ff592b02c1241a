"""The results when all variants have ended: over the screen, in nobody's way.

Every key still works.
"""

from typing import TYPE_CHECKING

from textual.content import Content

from gdtui.chart.scene.palette import COLOURS
from gdtui.widgets.line import Line

if TYPE_CHECKING:
    from gdtui.state.store import Store
    from gdtui.view.text.results_panel import ResultRow

_NEXT = "S restarts all with the next lr scaling · r restarts · c continues"

_WIDTHS = (9, 11, 8, 10, 8, 10)
"""Cells of each column of figures: with a name of 14 they fit into 80."""


class Summary(Line):
    """A table, a sentence, and what to press next."""

    def on_mount(self) -> None:
        self.border_title = "results"
        self.border_subtitle = "i or esc hides · q quits"

    def show_results(self, store: "Store", *, is_ours: bool) -> None:
        """Show the results of this run; `is_ours`: and what can be done with it now."""
        from gdtui.view.text.results_panel import (  # numpy: not before the first frame
            conclusion,
            headings,
            rows,
        )

        found = rows(store)
        name_width = max(len(row.name) for row in found) + 2
        names = Content.styled(" " * (name_width + 2) + _cells(headings(store)), "$quiet")
        lines = [names, *(_line(row, name_width) for row in found), Content("")]
        lines.append(Content(conclusion(store)))
        if is_ours:
            lines.append(Content.styled(_NEXT, "$quiet"))
        self.update(Content("\n").join(lines))


def _line(row: "ResultRow", name_width: int) -> Content:
    colour = f"bold $variant-{row.index % COLOURS + 1}"
    return Content.styled(f"{row.index + 1} {row.name:<{name_width}}", colour) + Content(
        _cells(row.cells)
    )


def _cells(cells: tuple[str, ...]) -> str:
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
