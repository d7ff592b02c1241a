"""The spread beside a variant's chart: full batch a needle, batch size 1 a cloud, one y axis."""

import re
from pathlib import Path

import numpy as np
import pytest
from app_bench import NARROW, WIDE, Bench, settle, state
from shown import text_of

from engine.log.records import State
from gdtui.app import GdtuiApp
from gdtui.widgets.variant import VariantPanel

BLOCKS = "▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path / "run")
    bench.begin()
    return bench


def spread(app: GdtuiApp, place: int) -> list[int]:
    """The rows of the screen with bars, right of the chart in this panel."""
    region = list(app.query(VariantPanel))[place].spread.region
    rows = text_of(app).splitlines()
    inside = {at: rows[at][region.x : region.right] for at in range(region.y, region.bottom)}
    return [at for at, row in inside.items() if set(row) & set(BLOCKS)]


async def test_a_needle_a_band_and_a_cloud(bench: Bench) -> None:
    random = np.random.default_rng(0)
    full, mini, sgd = bench.names
    bench.train(full, [0.5])
    bench.train(mini, 0.5 + 0.05 * random.standard_normal(100))
    bench.train(sgd, np.abs(0.5 + 0.2 * random.standard_normal(200)))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        needle, band, cloud = (spread(app, place) for place in range(3))
        assert len(needle) == 1
        assert 1 < len(band) < len(cloud)
        assert set(needle) <= set(band) <= set(cloud), "on one y axis"
        assert len(re.findall(r"spread +│", text_of(app))) == 3
        bench.write(sgd, state(State.PAUSED, 11.0))
        await settle(pilot)
        assert spread(app, 2) == cloud
        bench.train(sgd, 0.5 + 0.01 * random.standard_normal(400), batch=201)
        await settle(pilot)
        assert len(spread(app, 2)) < len(cloud), "of the last epoch only"


async def test_a_slope_is_no_spread(bench: Bench) -> None:
    bench.train(bench.names[2], np.linspace(1.0, 0.1, 200))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        scatter = app.main.viewer.store.states[2].scatter
        assert scatter.std() < 0.1 < np.linspace(1.0, 0.1, 200).std()


async def test_without_room_there_is_none(bench: Bench) -> None:
    bench.train(bench.names[2], [0.8, 0.5] * 100)
    app = bench.app()
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        assert not re.search(r"spread +│", text_of(app))
        await pilot.resize_terminal(*WIDE)
        await settle(pilot)
        await settle(pilot)
        assert spread(app, 2)


@pytest.mark.parametrize(("size", "is_there"), [(WIDE, True), ((100, 28), True), (NARROW, False)])
async def test_in_focus_it_stands_beside_the_chart(
    bench: Bench, size: tuple[int, int], is_there: bool
) -> None:
    bench.train(bench.names[2], [0.8, 0.5] * 100)
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await pilot.press("3", "z")
        await settle(pilot)
        await settle(pilot)
        assert ("spread, last epoch" in text_of(app)) == is_there
        assert bool(set(text_of(app)) & set(BLOCKS)) == is_there


async def test_nothing_finite_has_no_spread(bench: Bench) -> None:
    bench.train(bench.names[2], [float("nan")] * 10)
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert not spread(app, 2)


async def test_a_panel_says_that_it_draws_batches_where_an_update_is_made_of_several(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path / "accumulating", steps=8)
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "╭─ 2 Mini-batch · every batch, 8 per update ─" in text_of(app)
        await pilot.press("2", "z")
        await settle(pilot)
        assert "╭─ 2 Mini-batch · every batch, 8 per update · " in text_of(app)
