"""Partial updates: what a terminal shows after them is what a fresh render shows."""

from pathlib import Path

import numpy as np
import pyte
import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.pilot import Pilot
from textual.strip import Strip

from gdtui import spans
from gdtui.app import GdtuiApp
from gdtui.spans import SpansUpdate

from .app_bench import Bench


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

    def __init__(self, app: GdtuiApp, pilot: Pilot[None], monkeypatch: pytest.MonkeyPatch) -> None:
        self.app, self._pilot = app, pilot
        self.partial = 0
        self._terminal = self._fresh()
        monkeypatch.setattr(app, "_display", self._display)

    def _display(self, _screen: object, update: object) -> None:
        if update is None:
            return
        self.partial += isinstance(update, SpansUpdate)
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


def train(bench: Bench, step: int, rng: np.random.Generator) -> None:
    for name in bench.names:
        bench.train(name, rng.normal(0.5, 0.1, 40), batch=1 + 40 * step)


@pytest.mark.parametrize("no_color", [False, True])
async def test_no_stale_cell_is_left_by_partial_updates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_color: bool
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app(watching=True)
    rng = np.random.default_rng(3)
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        watched = Watched(app, pilot, monkeypatch)
        for step in range(5):
            train(bench, step, rng)
            app.live.tick(figures=True)
            await watched.settle()
        await watched.check()
        assert watched.partial > 2


async def test_no_stale_cell_is_left_by_notes_crosshair_focus_and_themes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app(watching=True)
    rng = np.random.default_rng(3)
    async with app.run_test(size=(160, 45), notifications=True) as pilot:
        watched = Watched(app, pilot, monkeypatch)
        for step, key in enumerate(["h", "t", "1", "z", "b"]):
            train(bench, step, rng)
            app.say([f"a note over the chart, {step}"])  # in front of what moves
            await pilot.press(key)
            app.live.tick(figures=True)
            await watched.check()
        assert watched.partial > 5


@pytest.mark.parametrize(
    ("start", "stop", "text"),
    [(0, 9, "abcde漢字"), (1, 4, "bcd"), (4, 7, "e漢"), (3, 5, "de"), (7, 9, "字")],
)
def test_a_span_is_cut_on_both_sides(start: int, stop: int, text: str) -> None:
    strip = Strip([Segment("abc", Style(color="red")), Segment("de漢字", Style(color="blue"))])
    assert "".join(segment.text for segment in spans._cut(strip, start, stop)) == text


def test_a_piece_is_written_where_it_stands() -> None:
    update = SpansUpdate([(1, 3, [Segment("ab", Style(color="red"))]), (0, 0, [Segment("c")])])
    terminal = Terminal(6, 2)
    terminal.write(update.render_segments(Console(color_system="truecolor", force_terminal=True)))
    assert [line.rstrip() for line in terminal.screen.display] == ["c", "   ab"]
    assert terminal.cells[1][3][:2] == ("a", "red")
