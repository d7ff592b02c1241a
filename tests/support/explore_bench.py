"""A run to be explored, on an app that is shown: keys, the wheel, and what the charts then show."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from app_bench import WIDE, Bench, settle
from textual.content import Content
from textual.events import MouseEvent
from textual.pilot import Pilot

from gdtui.app import GdtuiApp
from gdtui.chart.widget.chart import Chart

BATCHES = 400


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two epochs, 4,000 samples in batches of 10; a lone spike at sample 1,000."""
    bench = Bench(tmp_path / "run")
    bench.begin(epochs=2)
    for place, name in enumerate(bench.names):
        losses = np.linspace(0.8, 0.3 + place / 10, BATCHES)
        losses[100] = 9.0
        bench.train(name, losses)
    return bench


@asynccontextmanager
async def shown(
    bench: Bench, size: tuple[int, int] = WIDE, *, watching: bool = False
) -> AsyncIterator[tuple[GdtuiApp, Pilot[None]]]:
    app = bench.app(watching=watching)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        yield app, pilot


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settle(pilot)


def charts(app: GdtuiApp) -> list[Chart]:
    return [chart for chart in app.query(Chart) if chart.is_on_screen]


def seen(app: GdtuiApp) -> set[tuple[float, float]]:
    """The x that the charts on screen show: one and the same, when zoomed."""
    return {span for chart in charts(app) if (span := chart.seen) is not None}


def subtitle(app: GdtuiApp) -> str:
    """The overlay's words on its x axis."""
    said = Content.from_markup(str(app.query_one("#overlay").border_subtitle)).plain
    return said.rpartition("─ ")[2]  # after the legend


async def turn(
    pilot: Pilot[None], kind: type[MouseEvent], chart: Chart, column: int, times: int = 1
) -> None:
    """The wheel, over a column of a chart's canvas."""
    x = chart.region.x + chart.gutter.left + chart.canvas.left + column
    y = chart.region.y + 3
    for _ in range(times):
        pilot.app.post_message(
            kind(None, x, y, 0, 0, 0, shift=False, meta=False, ctrl=False, screen_x=x, screen_y=y)
        )
        await pilot.pause()
    await settle(pilot)
