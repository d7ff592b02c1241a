"""A line a variant, one below the other; a click selects."""

from dataclasses import dataclass

from textual import events
from textual.message import Message

from gdtui.widgets.line import Line


@dataclass
class VariantChosen(Message):
    """A variant's panel or line was clicked."""

    index: int


class VariantLines(Line):
    """The lines of all variants, in order."""

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None:
            self.post_message(VariantChosen(int(offset.y + self.scroll_offset.y)))
