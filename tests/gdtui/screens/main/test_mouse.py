"""Clicks: on a key of the footer, on a panel, on a line."""

import pytest
from app_bench import NARROW, WIDE, Bench, overlay, row, settle
from textual.pilot import Pilot

from engine.log.commands import Change, Restart
from engine.settings import LrScaling
from gdtui.app import GdtuiApp


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.begin()
    return bench


async def click(pilot: Pilot[None], key: str) -> None:
    """Click on the first character of a part of the footer."""
    footer = pilot.app.query_one("#footer")
    at = row(pilot.app, "q quit").index(key)  # type: ignore[arg-type]
    await pilot.click("#footer", offset=(at - footer.region.x, 0))


def selected(app: GdtuiApp) -> int | None:
    return app.main.viewer.view.selected


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_click_on_a_key_presses_it(bench: Bench, size: tuple[int, int]) -> None:
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        for key, batch in (("[", 32), ("] batch", 64), ("batch", 128)):
            await click(pilot, key)
            assert app.main.viewer.store.states[1].wanted.batch_size == batch
            await settle(pilot)
        await click(pilot, "meet")
        told = bench.controls.last(Restart)[bench.names[2]]
        assert isinstance(told, Restart)
        assert told.settings.lr_scaling is LrScaling.LINEAR
        await settle(pilot)
        await click(pilot, "undo")
        assert app.main.viewer.store.states[0].wanted.lr_scaling is LrScaling.NONE
        await click(pilot, "?")
        await pilot.pause()
        assert type(app.screen).__name__ == "HelpScreen"


async def test_a_click_between_keys_does_nothing(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await click(pilot, "  [ ]")
        await pilot.click("#footer", offset=(157, 0))
        assert not bench.controls.last(Change)
        assert not bench.controls.last(Restart)


async def test_the_footer_grows_with_what_can_be_done(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "undo" not in row(app, "q quit")
        await pilot.press("2", "right_square_bracket")
        await settle(pilot)
        assert " [ ] batch  , . lr  backspace undo  enter edit" in row(app, "q quit")


async def test_a_click_selects_a_panel_and_another_one_all(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        for place in (1, 2):
            await pilot.click(f"#panel-{place}", offset=(3, 1))
            assert selected(app) == place
        await pilot.click("#panel-2 .raw", offset=(20, 5))
        assert selected(app) is None


async def test_the_end_of_a_drag_selects_nothing(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("plus")
        await pilot.mouse_down("#panel-1 .raw", offset=(30, 5))
        await pilot.hover("#panel-1 .raw", offset=(20, 5))
        await pilot.mouse_up("#panel-1 .raw", offset=(20, 5))
        await pilot.pause()
        assert selected(app) is None


async def test_a_click_selects_a_line(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        await pilot.click("#lines", offset=(10, 2))
        assert selected(app) == 2


@pytest.mark.parametrize("size", [WIDE, (120, 30), NARROW])
async def test_the_results_take_the_place_of_the_variants_and_cover_no_curve(
    bench: Bench, size: tuple[int, int]
) -> None:
    bench.finish()
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await settle(pilot)
        chart, summary = app.query_one("#overlay"), app.query_one("#summary")
        variants = [app.query_one(name) for name in ("#panels", "#lines")]
        assert summary.display
        assert not chart.region.overlaps(summary.region)
        assert not any(each.display for each in variants)
        assert overlay(app).splitlines()[-1].startswith("╰")
        await pilot.press("i")
        await settle(pilot)
        assert sum(each.display for each in variants) == 1
