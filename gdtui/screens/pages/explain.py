"""The explain view: what is seen and why, the interview answer, every figure's definition."""

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content

from gdtui.lesson import explain
from gdtui.lesson.glossary import OURS, GlossaryEntry
from gdtui.screens.pages.page import Page, heading

if TYPE_CHECKING:
    from gdtui.state.store import Store

_WIDTH: Final = 90
_FRAME: Final = 9
"""Cells of border, padding, scroll bar and indent."""
_INDENT: Final = "  "


class ExplainScreen(Page):
    """An explanation of the selected variant, or of the comparison."""

    NAME = "explained"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("e", "dismiss", show=False)]

    def __init__(self, store: "Store", selected: int | None, *, is_ours: bool) -> None:
        """`is_ours`: the run obeys keys that change how it trains."""
        super().__init__()
        self._store, self._selected, self._is_ours = store, selected, is_ours

    def content(self) -> Content:
        width = min(_WIDTH, self.app.size.width - _FRAME)
        lines: list[Content] = []
        for section in explain.explain(self._store, self._selected, is_ours=self._is_ours):
            lines.append(heading(section.title))
            for paragraph in section.paragraphs:
                lines += [*_wrapped(paragraph, width), Content("")]
        lines.append(heading("The figures, by variant"))
        for figure, values in explain.figure_lines(self._store):
            lines += _entry(figure, values, width)
        return Content("\n").join(lines)


def _entry(figure: GlossaryEntry, values: str, width: int) -> list[Content]:
    labels = f" ({', '.join(figure.labels)})" if figure.labels else ""
    lines = [
        Content.styled(figure.name, "bold") + Content.styled(f"{labels} · {figure.unit}", "$quiet"),
        *([Content.styled(_INDENT + values, "bold $accent")] if values else []),
        *_wrapped(figure.definition, width),
    ]
    if figure.formula:
        lines += _wrapped(figure.formula, width, "italic")
    if figure.source != OURS:
        lines += _wrapped(figure.source, width, "$quiet")
    return [*lines, Content("")]


def _wrapped(text: str, width: int, style: str = "") -> list[Content]:
    return [
        Content.styled(_INDENT, style) + line
        for line in Content.styled(text, style).wrap(max(width, 20))
    ]
