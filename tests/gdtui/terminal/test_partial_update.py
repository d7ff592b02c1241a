"""Partial updates: what a terminal shows after them is what a fresh render shows."""

from pathlib import Path

import numpy as np
import pytest
from app_bench import Bench
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from sent import Terminal, Watched
from textual.color import Color
from textual.strip import Strip

from gdtui.chart.widget.chart import Chart
from gdtui.terminal import partial_update
from gdtui.terminal.partial_update import SpansUpdate


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
        watched = Watched(app, pilot)
        for step in range(5):
            train(bench, step, rng)
            app.main.tick(figures=True)
            await watched.settle()
        await watched.check()
        assert watched.partial > 2


async def test_a_frame_is_sent_when_its_drawing_ends_unless_a_layout_is_due(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app(watching=True)
    rng = np.random.default_rng(3)
    async with app.run_test(size=(160, 45)) as pilot:
        watched = Watched(app, pilot)
        for step in range(2):
            train(bench, step, rng)
            app.main.tick(figures=True)
            await watched.settle()
        sent = watched.partial
        train(bench, 2, rng)
        app.main.tick(figures=True)
        assert watched.partial == sent + 1
        await watched.settle()

        sent = watched.partial
        app.main.refresh(layout=True)
        train(bench, 3, rng)
        app.main.tick(figures=True)
        assert watched.partial == sent
        await watched.check()


async def test_no_stale_cell_is_left_by_frames_behind_another_screen(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app(watching=True)
    rng = np.random.default_rng(3)
    async with app.run_test(size=(160, 45)) as pilot:
        watched = Watched(app, pilot)
        for step, keys in enumerate([[], ["question_mark"], [], ["escape"]]):
            train(bench, step, rng)
            await pilot.press(*keys)
            app.main.tick(figures=True)
            await watched.settle()
        await watched.check()


async def test_no_stale_cell_is_left_by_notes_crosshair_focus_and_themes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app(watching=True)
    rng = np.random.default_rng(3)
    async with app.run_test(size=(160, 45), notifications=True) as pilot:
        watched = Watched(app, pilot)
        for step, key in enumerate(["h", "t", "1", "z", "b"]):
            train(bench, step, rng)
            app.show_notes([f"a note over the chart, {step}"])  # in front of what moves
            await pilot.press(key)
            app.main.tick(figures=True)
            await watched.check()
        assert watched.partial > 5


async def test_the_selection_of_a_variant_sends_its_border_and_not_the_charts(
    tmp_path: Path,
) -> None:
    """Three kilobytes take an eighth of a second over a slow link, the charts over a second."""
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app()
    async with app.run_test(size=(160, 45)) as pilot:
        train(bench, 0, np.random.default_rng(3))
        app.main.tick(figures=True)
        await pilot.press("1")
        watched = Watched(app, pilot)
        for key in "23310":
            await watched.settle()
            before = watched.bytes
            await pilot.press(key)
            await watched.check()
            assert watched.bytes - before <= 3_000
        assert watched.partial > 3


def test_pieces_in_one_style_are_written_with_one_style() -> None:
    red = Style(color="red")
    pieces = [(y, x, [Segment("│", red)]) for y in range(4) for x in (0, 5)]
    update = SpansUpdate([*pieces, (2, 2, [Segment("a", red), Segment("b")])])
    written = update.render_segments(Console(color_system="truecolor", force_terminal=True))
    terminal = Terminal(6, 4)
    terminal.write(written)
    assert list(terminal.screen.display) == ["│    │"] * 2 + ["│ ab │", "│    │"]
    assert terminal.cells[3][5][:2] == ("│", "red")
    assert written.count("\x1b[31m") == 1


@pytest.mark.parametrize(
    ("start", "stop", "text"),
    [(0, 9, "abcde漢字"), (1, 4, "bcd"), (4, 7, "e漢"), (3, 5, "de"), (7, 9, "字")],
)
def test_a_span_is_cut_on_both_sides(start: int, stop: int, text: str) -> None:
    strip = Strip([Segment("abc", Style(color="red")), Segment("de漢字", Style(color="blue"))])
    assert "".join(segment.text for segment in partial_update.cut(strip, start, stop)) == text


def test_a_piece_is_written_where_it_stands() -> None:
    update = SpansUpdate([(1, 3, [Segment("ab", Style(color="red"))]), (0, 0, [Segment("c")])])
    terminal = Terminal(6, 2)
    terminal.write(update.render_segments(Console(color_system="truecolor", force_terminal=True)))
    assert [line.rstrip() for line in terminal.screen.display] == ["c", "   ab"]
    assert terminal.cells[1][3][:2] == ("a", "red")


class Fading:
    """A line filter that leaves of every style the colour of the day."""

    colour = "red"

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(each.text, Style(color=self.colour)) for each in segments]


async def test_another_theme_asks_the_filters_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = bench.app()
    async with app.run_test() as pilot:
        await pilot.pause()
        chart, filtering = app.query_one("#overlay", Chart), Fading()
        monkeypatch.setattr(chart, "get_line_filters", lambda: [filtering])
        style = Style(bold=True)
        assert chart.sent(style) == Style(color="red")
        filtering.colour = "blue"
        assert chart.sent(style) == Style(color="red"), "asked once a theme"
        await pilot.press("t")
        await pilot.pause()
        assert chart.sent(style) == Style(color="blue")
