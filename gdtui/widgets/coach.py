"""The coach line above the footer: the lesson's words, in two rows."""

import re
from typing import Final

from textual.content import Content

from gdtui.widgets.line import Line

ROWS = 2
_KEY: Final = re.compile(r"`([^`]+)`")


def with_keys(text: str) -> Content:
    """The text with the keys in it, each between backticks, as bright as in the footer."""
    parts = _KEY.split(text)
    return Content.assemble(
        *((part, "bold $accent") if place % 2 else part for place, part in enumerate(parts))
    )


class CoachLine(Line):
    """Shows a heading, a text and the key that goes on; hidden while there is no text."""

    def show_words(self, heading: str, text: str | Content, offer: str, *, is_done: bool) -> None:
        """Show these words; `offer`: the key that goes on or leaves."""
        self.display = True
        content = Content.assemble(
            (heading, "bold $accent"),
            "  " * bool(heading),
            ("✓ " * is_done, "bold $accent"),
            text,
            "  ",
            (offer, "bold $accent" if is_done else "$quiet"),
        )
        rows = list(content.wrap(max(self.content_size.width or self.app.size.width - 2, 20)))
        self.styles.height = min(len(rows), ROWS)
        self.show(Content("\n").join(rows[:ROWS]))

    def hide_words(self) -> None:
        self.display = False
