"""The layers of the screen."""

import re
from pathlib import Path

import pytest
from app_bench import Bench
from shown import text_of
from textual.notifications import SeverityLevel
from textual.pilot import Pilot

from gdtui.app import GdtuiApp
from gdtui.chart.widget.chart import Chart
from gdtui.keys import table as keys

SIZES = [(160, 45), (120, 30), (100, 28), (80, 24), (80, 12)]
FULL_DISK = "Mini-batch: its log cannot be written: no space left on device"


@pytest.fixture
def app(tmp_path: Path) -> GdtuiApp:
    bench = Bench(tmp_path / "run")
    bench.begin()
    for name in bench.names:
        bench.train(name, [0.8, 0.5] * 50)
    return bench.app(watching=True)


def rows_of(app: GdtuiApp) -> list[str]:
    """The rows of the screen, but for the clock."""
    return re.sub(r"· \d\d:\d\d ·", "· clock ·", text_of(app)).split("\n")


async def changed_rows(
    app: GdtuiApp, pilot: Pilot[None], *notes: tuple[str, SeverityLevel]
) -> list[int]:
    """The rows of the screen that look different once these notes are up."""
    before = rows_of(app)
    for text, severity in notes:
        app.show_notes([text], severity)
        for _ in range(100):
            if text in text_of(app):
                break
            await pilot.pause(0.02)
        assert text in text_of(app)
    for _ in range(100):
        if all(text not in text_of(app) for text, severity in notes[:-1] if severity != "error"):
            break
        await pilot.pause(0.02)
    after = rows_of(app)
    return [y for y, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]


@pytest.mark.parametrize("size", SIZES)
async def test_a_note_covers_nothing_but_the_keys(app: GdtuiApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size, notifications=True) as pilot:
        app.main.tick(figures=True)
        await pilot.pause()
        rows = await changed_rows(
            app, pilot, ("smoothed over 4 epochs", "information"), ("no change", "information")
        )
        assert rows == [size[1] - 1], "and the second takes the first one's place"


@pytest.mark.parametrize("size", SIZES)
async def test_an_error_covers_no_chart_and_stays_beside_a_note(
    app: GdtuiApp, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size, notifications=True) as pilot:
        app.main.tick(figures=True)
        await pilot.pause()
        rows = await changed_rows(app, pilot, (FULL_DISK, "error"), ("no change", "information"))
        assert FULL_DISK in text_of(app)
        charts = [chart.region for chart in app.screen.query(Chart)]
        assert not any(region.y <= y < region.bottom for region in charts for y in rows)


@pytest.mark.parametrize(
    ("size", "is_whole"), [((160, 45), True), ((120, 30), False), ((80, 24), False)]
)
async def test_the_help_is_one_page_where_there_is_room(
    app: GdtuiApp, size: tuple[int, int], is_whole: bool
) -> None:
    async with app.run_test(size=size) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        box = app.screen.query_one("#help")
        assert (box.max_scroll_y == 0) == is_whole
        assert all(entry.help in text_of(app) for entry in keys.TABLE) == is_whole
        await pilot.press("end")
        await pilot.pause(0.5)
        assert "losses beyond the axis" in text_of(app)
