"""What an app sends to a terminal in partial updates, and what that terminal then shows."""

import pyte
import pytest
from textual.app import App
from textual.pilot import Pilot

from gdtui.terminal.partial_update import Piece, SpansUpdate


class Terminal:
    """What a terminal shows of the sequences that the app's compositor makes."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self.screen)

    def write(self, data: str) -> None:
        self._stream.feed(data.replace("\n", "\r\n"))

    @property
    def cells(self) -> list[list[tuple[str, str, str, bool]]]:
        """Character, colour, background and weight of each cell."""
        return [
            [
                (cell.data, cell.fg, cell.bg, cell.bold)
                for cell in (row[x] for x in range(self.screen.columns))
            ]
            for row in (self.screen.buffer[y] for y in range(self.screen.lines))
        ]


class Watched:
    """An app whose every partial update goes to a terminal."""

    def __init__(self, app: App[None], pilot: Pilot[None], monkeypatch: pytest.MonkeyPatch) -> None:
        self.app, self._pilot = app, pilot
        self._pieces: list[Piece] = []
        self.partial = 0
        """Updates of a part of the screen."""
        self._terminal = self._fresh()
        monkeypatch.setattr(app, "_display", self._display)

    def _display(self, _screen: object, update: object) -> None:
        if update is None:
            return
        if isinstance(update, SpansUpdate):
            self.partial += 1
            self._pieces += update.pieces
        self._terminal.write(update.render_segments(self.app.console))  # type: ignore[attr-defined]

    def _fresh(self) -> Terminal:
        terminal = Terminal(*self.app.size)
        update = self.app.screen._compositor.render_full_update()
        terminal.write(update.render_segments(self.app.console))
        return terminal

    async def settle(self) -> None:
        """All that has changed is sent."""
        for _ in range(2):
            await self._pilot.pause(0.02)

    async def check(self) -> None:
        """No cell is stale."""
        await self.settle()
        assert self._terminal.cells == self._fresh().cells

    def take_text(self) -> list[str]:
        """What partial updates have sent since this was asked last, piece by piece."""
        texts = ["".join(segment.text for segment in segments) for _, _, segments in self._pieces]
        self._pieces.clear()
        return texts
