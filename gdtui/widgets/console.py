"""The console of a variant's process, below the charts: its last lines."""

from pathlib import Path
from typing import Final

from rich.text import Text
from textual.widgets import Static

from gdtui.state.stored.console import ConsoleTail
from gdtui.view.console.lines import ConsoleLines

_SECONDS: Final = 0.2
"""Seconds between two reads of the file."""
_NOTHING: Final = "nothing has been printed yet"
_NOT_KEPT: Final = "no console was kept"


class ConsolePane(Static):
    """The last lines that the process of a variant has printed."""

    _tail: ConsoleTail | None = None
    _lines = ConsoleLines()

    def on_mount(self) -> None:
        self.border_title = "console · O closes it"
        self.set_interval(_SECONDS, self.follow)

    def show(self, path: Path) -> None:
        """Show the end of this file from now on."""
        if self._tail is None or self._tail.path != path:
            self._tail, self._lines = ConsoleTail(path), ConsoleLines()
        self.follow()

    def on_resize(self) -> None:
        """Fit the lines into the space available now."""
        self._draw()

    def follow(self) -> None:
        """Read what is new, if the pane is shown."""
        if self._tail is None or not self.display:
            return
        data, has_jumped = self._tail.read()
        if has_jumped:
            self._lines = ConsoleLines()
        if data or has_jumped or self._tail.is_missing:
            self._lines.feed(data)
            self._draw()

    def _draw(self) -> None:
        width, height = self.size
        lines = self._lines.last(max(height, 1), max(width, 1))
        if any(line.plain for line in lines):
            self.update(Text("\n").join(lines))
        elif self._tail is not None:
            self.update(_NOT_KEPT if self._tail.is_missing else _NOTHING)
