"""The results when all variants have ended: over the screen, in nobody's way. Every key still works."""

from textual.content import Content

from gdtui.panels.line import Line
from gdtui.results import HEAD, Row, meaning, rows
from gdtui.store import Store
from gdtui.theme import COLOURS

_NEXT = "S next lr scaling, from the same start · r restart · c continue · i hides this"


class Summary(Line):
    """A table, a sentence, and what to press next."""

    def on_mount(self) -> None:
        self.border_title = "results"
        self.border_subtitle = "i or esc hides · q quits"

    def tell(self, store: Store) -> None:
        """Show the results of this run."""
        found = rows(store)
        name_width = max(len(row.name) for row in found) + 2
        head = Content.styled(" " * (name_width + 2) + _cells(HEAD), "$foreground 60%")
        lines = [head, *(_line(row, name_width) for row in found), Content("")]
        self.update(
            Content("\n").join([*lines, Content(meaning(store)), Content.styled(_NEXT, "$foreground 60%")])
        )


def _line(row: Row, name_width: int) -> Content:
    colour = f"bold $variant-{row.index % COLOURS + 1}"
    return Content.styled(f"{row.index + 1} {row.name:<{name_width}}", colour) + Content(_cells(row.cells))


def _cells(cells: tuple[str, ...]) -> str:
    return "".join(f"{cell:>{max(len(head), 8) + 1}}" for head, cell in zip(HEAD, cells, strict=True))
