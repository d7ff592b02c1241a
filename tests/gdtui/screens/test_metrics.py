"""The metrics: a chart for each number that has a name, chosen, zoomed and searched by keys."""

import struct
from pathlib import Path

import pytest
from app_bench import WIDE, Bench, settle
from shown import text_of
from textual.pilot import Pilot

from engine.log.records import Scalars, Validated
from gdtui.app import GdtuiApp
from gdtui.chart.widget.chart import Chart
from gdtui.screens.metrics import MetricsScreen

NAMES = ("val/accuracy", "grad_norm", "val/perplexity", "temperature", "lr_scale")


def logged(**values: list[float]) -> Scalars:
    """Numbers for the first batches of the variant."""
    count = len(next(iter(values.values())))
    return Scalars(
        generation=1,
        batches=struct.pack(f"<{count}Q", *range(1, count + 1)),
        values={name: struct.pack(f"<{count}d", *each) for name, each in values.items()},
    )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path / "run")
    bench.begin()
    for place, variant in enumerate(bench.names[1:]):
        bench.train(variant, [0.8 - i / 500 for i in range(40)])
        numbers = {name: [place + i / 40 for i in range(40)] for name in NAMES}
        bench.write(variant, logged(**numbers))
    return bench


async def opened(app: GdtuiApp, pilot: Pilot[None]) -> MetricsScreen:
    await settle(pilot)
    await pilot.press("Y")
    await pilot.pause()
    assert isinstance(app.screen, MetricsScreen)
    await pilot.pause()
    await pilot.pause()
    app.screen.draw()
    return app.screen


def titles(screen: MetricsScreen) -> list[str]:
    shown = [str(each.border_title) for each in screen.query(Chart) if each.display]
    return [title.removesuffix("[bold][/bold]") for title in shown]


async def test_each_name_has_a_chart_with_the_values_of_its_variants(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot)
        assert [title.split()[0] for title in titles(screen)] == list(NAMES)
        assert {title.split(" · ", 1)[1] for title in titles(screen)} == {"2 0.975 · 3 1.98"}
        assert "metrics · 5" in text_of(app)


async def test_one_fills_the_screen_and_the_crosshair_reads_it(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("tab", "tab", "shift+tab", "enter")
        assert [title.split()[0] for title in titles(screen)] == ["grad_norm"]
        app.main.viewer.cursor = 0.0
        screen.draw()
        assert titles(screen) == ["grad_norm · 2 0 · 3 1.00"]
        await pilot.press("escape")
        assert len(titles(screen)) == len(NAMES)
        await pilot.press("escape")
        assert app.screen is app.main


async def test_a_search_leaves_the_names_that_contain_it(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("slash", "V", "a", "l", "enter")
        await pilot.pause()
        assert [title.split()[0] for title in titles(screen)] == ["val/accuracy", "val/perplexity"]
        await pilot.press("y")
        assert app.main.viewer.view.log, "a key acts again once the search is done"
        await pilot.press("escape")
        await pilot.pause()
        assert len(titles(screen)) == len(NAMES)


async def test_what_does_not_fit_is_on_other_pages(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot)
        seen = set()
        for _ in NAMES:
            seen |= {title.split()[0] for title in titles(screen)}
            await pilot.press("tab")
            await pilot.pause()
        assert seen == set(NAMES)
        assert "page" in text_of(app)


async def test_without_numbers_it_says_how_to_log_some(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        assert "run.log(" in text_of(app)


async def test_metrics_come_from_every_validation(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    name = bench.names[1]
    bench.train(name, [0.8 - i / 500 for i in range(40)])
    bench.write(
        name,
        Validated(
            generation=1, epoch=1, batches=40, updates=40, samples=400, seconds=0.4, loss=0.5,
            metrics={"accuracy": 0.75},
        ),
    )  # fmt: skip
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        assert titles(await opened(app, pilot)) == ["accuracy · 0.750"]
