"""A piece of text that changes often and never its size: it repaints only when it says something else."""

from textual.content import Content
from textual.widgets import Static


class Line(Static):
    """Text of a fixed size; no layout when it changes."""

    _said: Content | None = None

    def say(self, text: Content) -> None:
        """Show this text from now on."""
        if self._said is None or text.markup != self._said.markup:
            self._said = text
            self.update(text, layout=False)
