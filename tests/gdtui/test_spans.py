"""Partial updates: what a terminal shows after them is what a fresh render shows."""

from pathlib import Path

import numpy as np
import pyte
import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.strip import Strip

from gdtui import spans

from .app_bench import Bench


class Terminal:
    """What a terminal shows of the sequences that the app's compositor makes."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self.screen)

    def write(self, data: str) -> None:
        self._stream.feed(data.replace("\n", "\r\n"))

    @property
    def cells(self) -> list[list[tuple[str, str, str]]]:
        """Character, colour and background of each cell."""
        return [
            [(cell.data, cell.fg, cell.bg) for cell in (row[x] for x in range(self.screen.columns))]
            for row in (self.screen.buffer[y] for y in range(self.screen.lines))
        ]


async def test_no_stale_cell_is_left_by_partial_updates(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app(watching=True)
    rng = np.random.default_rng(3)
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        terminal = Terminal(160, 45)
        compositor, console = app.screen._compositor, app.console
        terminal.write(compositor.render_full_update().render_segments(console))
        partial = 0
        for step in range(8):
            for name in bench.names:
                bench.train(name, rng.normal(0.5, 0.1, 40), batch=1 + 40 * step)
            with app.batch_update():
                app.live.tick(figures=True)
                await pilot.pause()
                app.screen._compositor.update_widgets(app.screen._dirty_widgets)
                app.screen._dirty_widgets.clear()
                update = compositor.render_update()
            if update is not None:
                partial += isinstance(update, ChopsUpdate)
                terminal.write(update.render_segments(console))
        fresh = Terminal(160, 45)
        fresh.write(compositor.render_full_update().render_segments(console))
        assert terminal.cells == fresh.cells
        assert partial > 2


@pytest.mark.parametrize(
    ("start", "stop", "text"),
    [(0, 9, "abcde漢字"), (1, 4, " bcd"), (4, 7, "    e漢"), (6, 8, ""), (3, 5, "   de")],
)
def test_a_span_is_cut_on_both_sides(start: int, stop: int, text: str) -> None:
    spans.install()
    strip = Strip([Segment("abc", Style(color="red")), Segment("de漢字", Style(color="blue"))])
    update = ChopsUpdate([{0: strip}], [(0, start, stop)], [[9]])
    terminal = Terminal(12, 1)
    terminal.write(update.render_segments(Console(color_system="truecolor", force_terminal=True)))
    assert terminal.screen.display[0].rstrip() == text
