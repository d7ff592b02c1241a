"""The console of a variant's process, below the charts: its last lines."""

from pathlib import Path
from typing import ClassVar, Final

from rich.text import Text
from textual.widgets import Static

from gdtui.state.stored.console import ConsoleTail
from gdtui.view.console.lines import ConsoleLines

_SECONDS: Final = 0.2
"""Seconds between two reads of the file."""
_SILENT_READS: Final = 5
"""Reads without anything new after which a question at the end is taken for one to the user."""
_NOTHING: Final = "nothing has been printed yet"
_NOT_KEPT: Final = "no console was kept"


class ConsolePane(Static):
    """The last lines that the process of a variant has printed."""

    CLOSED_BY: ClassVar = "console · O closes it"
    TYPED_TO: ClassVar = f"{CLOSED_BY} · I types to it"
    ASKING: ClassVar = f"{CLOSED_BY} · it may be waiting for input: I types to it"

    takes_text = False
    """True if the user can type to the process from here."""
    _tail: ConsoleTail | None = None
    _lines = ConsoleLines()
    _is_asking = False
    _titled: tuple[bool, bool] | None = None
    """The state that the title shows."""
    _silent = 0
    """Reads without anything new."""

    def on_mount(self) -> None:
        self._title()
        self._timer = self.set_interval(_SECONDS, self.follow, pause=True)

    def on_show(self) -> None:
        self._timer.resume()

    def on_hide(self) -> None:
        self._timer.pause()

    def _title(self) -> None:
        shown = self.takes_text, self._is_asking
        if shown == self._titled:
            return  # each change is a repaint
        self._titled = shown
        if self._is_asking:
            self.border_title = self.ASKING
        elif self.takes_text:
            self.border_title = self.TYPED_TO
        else:
            self.border_title = self.CLOSED_BY

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
        self._silent = 0 if data else self._silent + 1
        if has_jumped:
            self._lines = ConsoleLines()
        if data or has_jumped or self._tail.is_missing:
            self._lines.feed(data)
            self._draw()
        is_quiet = self.takes_text and self._silent >= _SILENT_READS
        self._is_asking = is_quiet and bool(self._lines.prompt)
        self._title()

    def _draw(self) -> None:
        width, height = self.size
        lines = self._lines.last(max(height, 1), max(width, 1))
        if any(line.plain for line in lines):
            self.update(Text("\n").join(lines))
        elif self._tail is not None:
            self.update(_NOT_KEPT if self._tail.is_missing else _NOTHING)
