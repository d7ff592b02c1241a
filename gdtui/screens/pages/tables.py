"""The lesson's tables for this run: lr by batch size and rule, and each size's trade-offs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content

from gdtui.chart.scene.palette import COLOURS
from gdtui.chart.scene.shortening import shortened
from gdtui.lesson import tables
from gdtui.screens.pages.page import Page, heading
from gdtui.view.text import formatting
from gdtui.view.text.caveats.label import label

if TYPE_CHECKING:
    from gdtui.state.store import Store

_WIDTH: Final = 72
_NAME: Final = 14
"""Cells of a variant's name."""
_INDENT: Final = "  "
_LR: Final = (17, 10, 10, 10)
_TRADES: Final = (15, 10, 11, 21)
"""Cells of a batch size's trade-offs, after a name; with border and scroll bar they fit into 80."""


class TablesScreen(Page):
    """Both tables, and how to get more."""

    NAME = "scaling and trade-offs"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("T", "dismiss", show=False)]

    def __init__(self, store: "Store") -> None:
        super().__init__()
        self._store = store

    def content(self) -> Content:
        base = self._store.states[0].wanted
        lr, size = formatting.setting(base.lr), f"{base.base_batch:,}"
        return Content("\n").join(
            [
                heading(f"lr by batch size, from lr {lr} at batch {size}"),
                *_table(self._store, _LR, tables.RULES, tables.lr_by_batch(self._store)),
                Content(""),
                *_note("linear: × batch ÷ base (Goyal et al. 2017); √: × √(batch ÷ base)."),
                Content(""),
                heading("What a batch size trades: as measured, below in the lesson's words"),
                *_trades(self._store),
                Content(""),
                *_note(
                    "Variants that train at once share the machine, and their samples/s with it. W "
                    "(or `gdtui sweep`) trains one batch size at a time, to equal epochs and "
                    "seconds, and ends in a recommendation."
                ),
            ]
        )


def _table(
    store: "Store", widths: Sequence[int], head: Sequence[str], rows: Sequence[tables.TableRow]
) -> list[Content]:
    lines = [Content.styled(_cells(head, widths), "$quiet")]
    for row in rows:
        names = [
            Content.styled(
                f"  {_short(store)[place]}",
                f"bold $variant-{place % COLOURS + 1}",
            )
            for place in row.variants
        ]
        style = "" if row.variants else "$quiet"
        lines.append(Content.styled(_cells(row.cells, widths), style) + Content("").join(names))
    return lines


def _trades(store: "Store") -> list[Content]:
    """Two lines per variant, which begin with its name and with its batch size."""
    lines = [Content.styled(_INDENT + " " * _NAME + _cells(tables.TRADES, _TRADES), "$quiet")]
    for row in tables.trade_offs(store):
        style = f"bold $variant-{row.variants[0] % COLOURS + 1}" if row.variants else "$quiet"
        name, *cells = row.cells
        told = _short(store)[row.variants[0]] if row.variants else name
        lines.append(
            Content.styled(f"{_INDENT}{told:<{_NAME}}", style)
            + Content.styled(_cells(cells, _TRADES), "" if row.variants else "$quiet")
        )
    return lines


def _short(store: "Store") -> tuple[str, ...]:
    return shortened(tuple(map(label, store.states)), _NAME)


def _cells(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _note(text: str) -> list[Content]:
    return [Content("  ") + line for line in Content.styled(text, "$quiet").wrap(_WIDTH)]
