"""The help screen: every key out of the table, and what the words on the screen mean."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from gdtui.keys import groups
from gdtui.stroke import Entry

_KEYS: Final = 12
_WIDTH: Final = 72
WORDS: Final = (
    ("batch", "one forward and backward pass; its loss is taken before the update"),
    ("update", "one optimiser step, behind it one batch or, accumulating, several"),
    ("epoch", "one pass over the training data, in the same order for all"),
    ("loss", "of the batches, smoothed with one time constant for all variants"),
    ("σ", "how far batch losses scatter about it over the last epoch: the noise"),
    ("noise", "how they lie about it, as bars on the y axis of the chart beside them"),
    ("◆ all data", "mean loss over all training data at an epoch's end: compare these"),
    ("◇ validation", "the same on held-out data, if the problem has some; ◈ both are here"),
    ("gap", "validation minus all data, at the same weights: what does not generalise"),
    ("lr", "in force: base lr × rule(effective batch ÷ 64), the rule by s or S"),
    ("ms/batch", "training time of one batch, lately; MiB: memory at its peak"),
    ("ghost", "the faint line: the curve before the last restart, until g"),
    ("┊", "where a setting changed, faint: an epoch's end; ▲ ▼ a loss beyond the axis"),
)


class HelpScreen(ModalScreen[None]):
    """Over the app; the same key closes it, training goes on below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,enter", "dismiss", "Close", show=False),
        Binding("q", "app.leave(0)", "Quit", show=False),
        Binding("up,k", "scroll('up')", show=False),
        Binding("down,j", "scroll('down')", show=False),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as box:
            box.border_title = "keys"
            box.border_subtitle = "? or esc closes · ↑ ↓ scroll · q quits"
            yield Static(content())


def content() -> Content:
    """The whole text."""
    lines: list[Content] = []
    for name, entries in groups():
        lines += [Content.styled(name, "bold $primary"), *(_key(entry) for entry in entries), Content("")]
    lines.append(Content.styled("Words", "bold $primary"))
    lines += [_row(word, meaning, "bold") for word, meaning in WORDS]
    return Content("\n").join(lines)


def _key(entry: Entry) -> Content:
    return _row(entry.keys, entry.help, "bold $footer-key-foreground")


def _row(left: str, right: str, style: str) -> Content:
    """Two columns; the right one wraps in itself."""
    lines = Content(right).wrap(_WIDTH - _KEYS - 2)
    first = Content.styled(f"  {left:<{_KEYS}}", style) + lines[0]
    return Content("\n").join([first, *(Content(" " * (_KEYS + 2)) + line for line in lines[1:])])
