"""The help screen: every key of the table, and what the words on the screen mean."""

from collections.abc import Iterator
from itertools import compress, product
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from gdtui.keys.stroke import Entry
from gdtui.keys.table import groups

_KEYS: Final = 12
_INDENT: Final = 1
_COLUMN: Final = 74
"""Cells of a column, if there is room."""
_LEAST: Final = 54
"""Minimum width in cells of a column beside another."""
_GAP: Final = 4
_FRAME: Final = 7
"""Cells of border, padding and scroll bar."""
WORDS: Final = (
    ("batch", "one forward and backward pass; its loss is before the update"),
    ("update", "one optimiser step, after one batch or several, accumulated"),
    ("epoch", "one pass over the training data, in the same order for all"),
    ("loss", "of the last batches: their mean, smoothed alike for all variants"),
    ("noise", "σ: scatter of the batch losses around it, over the last epoch"),
    ("spread", "the same as bars, on the y axis of the chart beside them"),
    ("◆", "loss on all training data at an epoch's end: compare these"),
    ("◇", "the same on held-out data (validation); ◈ both are here"),
    ("• ◦ ◉", "◆ ◇ ◈ where they would crowd"),
    ("gap", "validation loss minus loss on all data: not generalised"),
    ("lr", "in force: base lr × rule(effective batch ÷ base batch)"),
    ("noise scale", "B: the batch at which noise equals gradient"),
    ("curvature", "λ; above 2/lr, full-batch steps would grow"),
    ("ms/batch", "recent training time per batch; MiB: peak memory"),
    ("ghost", "faint line: the curve before the last restart; g clears it"),
    ("┊", "a setting changed there; faint: an epoch ended"),
    ("▲ ▼", "losses beyond the axis, and how many"),
)


class HelpScreen(ModalScreen[None]):
    """All keys and words; the key that opened the screen closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,enter", "dismiss", "Close", show=False),
        Binding("q", "app.leave(0)", "Quit", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as box:
            box.border_title = "keys"
            box.border_subtitle = "? or esc closes · ↑ ↓ scroll · q quits"
            yield Static()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the text out in two columns, if they are wide enough to be read."""
        room = event.size.width - _FRAME
        columns = 2 if room >= 2 * _LEAST + _GAP else 1
        width = min((room - (columns - 1) * _GAP) // columns, _COLUMN)
        self.set_class(columns > 1, "-columns")
        self.query_one(Static).update(content(columns, max(width, _KEYS * 2)))

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def content(columns: int = 1, width: int = _COLUMN) -> Content:
    """The whole text in one column or two, this many cells wide and about equally long."""
    sections = _sections(width)
    if columns == 1:
        return Content("\n").join(_stacked(sections))
    left, right = min(_divisions(sections), key=lambda pair: max(map(len, pair)))
    left += [Content("")] * (len(right) - len(left))
    right += [Content("")] * (len(left) - len(right))
    beside = Content(" " * _GAP)
    return Content("\n").join(
        [
            one.pad_right(width - one.cell_length) + beside + two
            for one, two in zip(left, right, strict=True)
        ]
    )


def _divisions(sections: list[list[Content]]) -> Iterator[tuple[list[Content], list[Content]]]:
    """Every way to put the sections into two columns, in their order, the first one at the left."""
    first, *others = sections
    for is_left in product((True, False), repeat=len(others)):
        left = [first, *compress(others, is_left)]
        yield _stacked(left), _stacked([*compress(others, [not each for each in is_left])])


def _sections(width: int) -> list[list[Content]]:
    """The groups of keys and the words, each as a heading with its lines."""
    found = [
        [_heading(name), *(line for entry in entries for line in _key(entry, width))]
        for name, entries in groups()
    ]
    words = [line for word, meaning in WORDS for line in _row(word, meaning, "bold", width)]
    return [*found, [_heading("Words"), *words]]


def _stacked(sections: list[list[Content]]) -> list[Content]:
    """Join the blocks, with an empty line between any two."""
    return [line for section in sections for line in (*section, Content(""))][:-1]


def _heading(text: str) -> Content:
    return Content.styled(text, "bold $primary")


def _key(entry: Entry, width: int) -> list[Content]:
    return _row(entry.keys, entry.help, "bold $footer-key-foreground", width)


def _row(left: str, right: str, style: str, width: int) -> list[Content]:
    """Two columns; the right one wraps within its width."""
    indent = _KEYS + _INDENT
    first, *others = Content(right).wrap(width - indent)
    head = Content.styled(f"{' ' * _INDENT}{left:<{_KEYS}}", style) + first
    return [head, *(Content(" " * indent) + line for line in others)]
