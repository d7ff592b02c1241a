"""The partial updates that an app sends to a terminal, and the picture there."""

from typing import Any

import pyte
from shown import ListenedApp, strips_of
from textual.pilot import Pilot

from gdtui.terminal.partial_update import Piece, SpansUpdate


class Terminal:
    """A terminal's picture from the sequences that the app's compositor makes."""

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

    def __init__(self, app: ListenedApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot
        self.pieces: list[Piece] = []
        self.partial = 0
        """Updates of a part of the screen."""
        self.bytes = 0
        """Sent so far."""
        self.terminal = self.fresh()
        app.listener = self.take

    def take(self, update: Any) -> None:
        """One update of the screen; None: nothing has changed."""
        if update is None:
            return
        if isinstance(update, SpansUpdate):
            self.partial += 1
            self.pieces += update.pieces
        sent = update.render_segments(self.app.console)
        self.bytes += len(sent.encode())
        self.terminal.write(sent)

    def fresh(self) -> Terminal:
        """A terminal that was sent the whole screen just now."""
        terminal = Terminal(*self.app.size)
        rows = [strip.render(self.app.console) for strip in strips_of(self.app)]
        terminal.write("".join(f"\x1b[{y};1H{row}" for y, row in enumerate(rows, start=1)))
        return terminal

    async def settle(self) -> None:
        """All that has changed is sent."""
        for _ in range(2):
            await self.pilot.pause(0.02)

    async def check(self) -> None:
        """No cell is stale."""
        await self.settle()
        assert self.terminal.cells == self.fresh().cells

    def take_text(self) -> list[str]:
        """The pieces that partial updates have sent since the last call."""
        texts = ["".join(segment.text for segment in segments) for _, _, segments in self.pieces]
        self.pieces.clear()
        return texts
