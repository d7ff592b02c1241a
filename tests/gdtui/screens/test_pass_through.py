"""With a whole screen over the main one, keys and mouse act on the main one all the same."""

from pathlib import Path

import pytest
from app_bench import WIDE, Bench, settle
from explore_bench import turn
from textual.events import MouseScrollUp

from engine.log.commands import Pause
from engine.log.measurements import Sharpness
from engine.log.records import Measured
from gdtui.app import GdtuiApp
from gdtui.chart.widget.chart import Chart
from gdtui.screens.landscape import LandscapeScreen
from gdtui.screens.trends import TrendsScreen
from gdtui.view.x_range import WHOLE


class StillSurveyor:
    """Finds nothing, and starts no process."""

    def request(self, wanted: object) -> None:
        """Nothing will come of it."""

    def poll(self) -> list[object]:
        return []

    def close(self) -> None:
        """End nothing."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path / "run")
    bench.begin()
    name = bench.names[1]
    bench.train(name, [0.8 - i / 500 for i in range(100)])
    found = Sharpness(value=3.0, error=0.0, products=9, samples=2000)
    bench.write(
        name,
        Measured(
            generation=1, epoch=1, updates=50, samples=500, seconds=0.5, effective_batch=64,
            lr=0.01, edge=200.0, cost=0.01, sharpness=found,
        ),
    )  # fmt: skip
    return bench


def lay_landscape(app: GdtuiApp) -> None:
    screen = LandscapeScreen(app.main, app.main.context.shown, surveyor=StillSurveyor())  # type: ignore[arg-type]
    app.push_screen(screen)


@pytest.mark.parametrize("over", ["trends", "landscape"])
async def test_keys_that_the_screen_has_no_use_for_act_below_it(bench: Bench, over: str) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.main.action_trends() if over == "trends" else lay_landscape(app)
        await pilot.pause()
        await pilot.press("3", "y", "space", "t")
        view = app.main.viewer.view
        assert (view.selected, view.log) == (2, True)
        assert set(bench.controls.last(Pause)) == set(bench.names)
        assert app.theme == "gdtui-light"
        await pilot.press("question_mark")
        await pilot.pause()
        assert len(app.screen_stack) == 3, "help lies over both"
        await pilot.press("y")
        assert app.main.viewer.view.log, "over which no key acts below"
        await pilot.press("escape", "q")
    assert app.return_code == 0


async def test_a_key_that_the_screen_has_bound_is_its_own(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        lay_landscape(app)
        await pilot.pause()
        await pilot.press("plus", "left", "home", "v")
        await pilot.pause()
        assert app.main.viewer.view.window == WHOLE
        assert len(app.screen_stack) == 1
        app.main.action_trends()
        await pilot.pause()
        await pilot.press("z", "i")
        assert not app.main.viewer.view.focus
        await pilot.press("plus")
        assert app.main.viewer.view.window != WHOLE
        assert isinstance(app.screen, TrendsScreen)


async def test_the_wheel_on_a_trend_zooms_all_charts(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.main.action_trends()
        await pilot.pause(0.3)
        await turn(pilot, MouseScrollUp, app.screen.query(Chart).first(), 40)
        assert app.main.viewer.view.window != WHOLE
