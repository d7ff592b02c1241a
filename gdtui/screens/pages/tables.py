"""The lesson's tables for this run: lr by batch size and rule, and each size's trade-offs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content

from gdtui.chart.scene.shortening import shortened
from gdtui.lesson import tables
from gdtui.screens.pages.page import Page, heading
from gdtui.view.text import formatting
from gdtui.view.text.caveats.label import label
from gdtui.view.text.screen_text import colour_of

if TYPE_CHECKING:
    from gdtui.state.store import Store

_WIDTH: Final = 72
_NAME: Final = 12
"""Cells of a variant's name."""
_INDENT: Final = "  "
_LR: Final = (17, 10, 10, 10)
_RESULT: Final = (14, 14, 12)
_TRADES: Final = (16, 11, 11, 21)
"""Cells of a batch size's trade-offs, after a name; with border and scroll bar they fit into 80."""


class TablesScreen(Page):
    """Both tables, and how to get more."""

    NAME = "scaling and trade-offs"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("T", "dismiss", show=False)]

    def __init__(self, store: "Store") -> None:
        super().__init__()
        self._store = store

    def content(self) -> Content:
        return Content("\n").join(
            [
                *_lrs(self._store),
                Content(""),
                *_note("linear: × batch ÷ base (Goyal et al. 2017); √: × √(batch ÷ base)."),
                Content(""),
                heading("What a batch size trades: as measured, below in the lesson's words"),
                *_named_rows(self._store, _TRADES, tables.TRADES, tables.trade_offs(self._store)),
                Content(""),
                *_note(
                    f"{tables.CONTRADICTED}: the measured column contradicts this word, since "
                    "another variant's figure lies on the wrong side of this one's, or is the same "
                    "for a word far from this one. Pale: measured under other settings or an epoch "
                    "or more ago. 95%: the interval of the SNR."
                ),
                Content(""),
                heading("The result as the lesson prints it"),
                *_named_rows(
                    self._store, _RESULT, tables.RESULT, tables.lesson_result(self._store)
                ),
                Content(""),
                *_note(
                    "“variance” in the lesson is the standard deviation of the epochs' mean "
                    "losses: it shows how far the loss fell, not how noisy it was. That is the "
                    "noise σ."
                ),
                Content(""),
                *_note(
                    "Variants that train at once share the machine, and their samples/s with it. W "
                    "(or `gdtui sweep`) trains one batch size at a time, to equal epochs and "
                    "seconds, and ends in a recommendation."
                ),
            ]
        )


def _lrs(store: "Store") -> list[Content]:
    """The lr by batch size; a note where an import does not tell from which."""
    if not (rows := tables.lr_by_batch(store)):
        return [heading("lr by batch size"), *_note("The file that was imported has no lr.")]
    base = store.states[0].wanted
    lr, size = formatting.setting(base.lr), f"{base.base_batch:,}"
    title = heading(f"lr by batch size, from lr {lr} at batch {size}")
    return [title, *_table(store, _LR, tables.RULES, rows)]


def _table(
    store: "Store", widths: Sequence[int], head: Sequence[str], rows: Sequence[tables.TableRow]
) -> list[Content]:
    lines = [Content.styled(_cells(head, widths), "$quiet")]
    for row in rows:
        names = [
            Content.styled(
                f"  {_short(store)[place]}",
                f"bold {colour_of(store.states[place])}",
            )
            for place in row.variants
        ]
        style = "" if row.variants else "$quiet"
        lines.append(Content.styled(_cells(row.cells, widths), style) + Content("").join(names))
    return lines


def _named_rows(
    store: "Store", widths: Sequence[int], head: Sequence[str], rows: Sequence[tables.TableRow]
) -> list[Content]:
    """Rows that begin with a name, or with a word for the cells."""
    lines = [Content.styled(_INDENT + " " * _NAME + _cells(head, widths), "$quiet")]
    for row in rows:
        states = [store.states[place] for place in row.variants]
        style = f"bold {colour_of(states[0])}" if states else "$quiet"
        name, *cells = row.cells
        told = _short(store)[row.variants[0]] if row.variants else name
        line = Content.styled(f"{_INDENT}{told:<{_NAME}}", style)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True), start=1):
            is_quiet = not row.variants or place in row.pale
            line += Content.styled(f"{cell:>{width}}", _cell_style(cell, is_quiet=is_quiet))
        lines.append(line)
    return lines


def _cell_style(cell: str, *, is_quiet: bool) -> str:
    if cell.startswith(tables.CONTRADICTED):
        return "$warning"
    return "$quiet" if is_quiet else ""


def _short(store: "Store") -> tuple[str, ...]:
    return shortened(tuple(map(label, store.states)), _NAME)


def _cells(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _note(text: str) -> list[Content]:
    return [Content("  ") + line for line in Content.styled(text, "$quiet").wrap(_WIDTH)]
