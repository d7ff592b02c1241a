"""The bottom line: the keys of the table that fit."""

from textual import events
from textual.content import Content

from gdtui.keys.stroke import Entry
from gdtui.keys.table import footer_entries
from gdtui.widgets.line import Line


class Footer(Line):
    """Shows as many keys as the width allows."""

    def __init__(self, variants: int, obeyed: frozenset[str] | None, *, id: str) -> None:  # noqa: A002
        """`variants`: the number of variants to choose from.

        `obeyed`: ids of the commands that have an effect; None means all.
        """
        super().__init__(id=id)
        self._variants = variants
        self._obeyed = obeyed

    def on_mount(self) -> None:
        self._fill()

    def on_resize(self, _event: events.Resize) -> None:
        self._fill()

    def _fill(self) -> None:
        self.show(
            Content("  ").join(
                _entry(entry)
                for entry in footer_entries(self.content_size.width, self._variants, self._obeyed)
            )
        )


def _entry(entry: Entry) -> Content:
    if entry.shown:
        keys = Content.styled(entry.shown, "bold $footer-key-foreground")
    else:
        keys = Content(" ").join(
            Content.styled(stroke.shown, "bold $footer-key-foreground") for stroke in entry.strokes
        )
    return keys + Content.styled(f" {entry.label}", "$quiet")
