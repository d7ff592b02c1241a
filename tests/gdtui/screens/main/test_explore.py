"""Zooming, panning and following, driven by keys and by the mouse: what the screen then shows."""

import re

import pytest
from app_bench import NARROW, WIDE, Bench, settle, state
from explore_bench import BATCHES, bench, charts, press, seen, shown, subtitle, turn
from shown import text_of
from textual.events import MouseScrollDown, MouseScrollUp

from engine.log.records import State
from gdtui.chart.widget.chart import Chart
from gdtui.view.x_range import WHOLE, FixedRange, FollowNewest

__all__ = ["bench"]


# --- Keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("watching", [False, True])
async def test_zooming_by_key_follows_the_newest(
    bench: Bench, size: tuple[int, int], watching: bool
) -> None:
    async with shown(bench, size, watching=watching) as (app, pilot):
        assert subtitle(app) == "samples"
        await press(pilot, "plus")
        assert app.main.viewer.view.window == FollowNewest(2_000.0)
        assert seen(app) == {(2_000.0, 4_000.0)}
        assert "samples 2k–4k of 4k · follows" in text_of(app)
        await press(pilot, "equals_sign")
        assert seen(app) == {(3_000.0, 4_000.0)}
        await press(pilot, "minus", "minus")
        assert app.main.viewer.view.window == WHOLE
        assert subtitle(app) == "samples"


async def test_the_window_that_follows_moves_on_in_steps_as_losses_come(bench: Bench) -> None:
    async with shown(bench) as (app, pilot):
        await press(pilot, "end")
        assert seen(app) == {(3_000.0, 4_000.0)}
        for batches, high in ((1, 4_100.0), (9, 4_100.0), (1, 4_200.0)):
            done = app.main.viewer.store.states[2].tally.batches
            bench.train(bench.names[2], [0.4] * batches, batch=done + 1)
            await settle(pilot)
            assert seen(app) == {(high - 1_000.0, high)}


async def test_panning_leaves_the_newest_and_comes_back_to_it(bench: Bench) -> None:
    async with shown(bench) as (app, pilot):
        await press(pilot, "left")
        assert app.main.viewer.view.window == WHOLE, "of the whole nothing can be moved"
        await press(pilot, "plus", "plus", "left")
        assert app.main.viewer.view.window == FixedRange(2_750.0, 3_750.0)
        assert "samples 2.75k–3.75k of 4k ─" in text_of(app)
        await press(pilot, *["left"] * 20)
        assert seen(app) == {(0.0, 1_000.0)}
        await press(pilot, *["right"] * 12)
        assert app.main.viewer.view.window == FollowNewest(1_000.0)
        await press(pilot, "home")
        assert app.main.viewer.view.window == WHOLE


async def test_zoomed_in_every_batch_is_a_point_and_y_is_of_what_is_seen(bench: Bench) -> None:
    async with shown(bench) as (app, pilot):
        assert all(chart.picture.y.high < 2.0 for chart in charts(app)), "the spike is a mark"
        assert text_of(app).count("▲") == len(charts(app))
        app.main.look(window=FixedRange(2_000.0, 2_100.0))
        await settle(pilot)
        for chart in charts(app)[1:]:
            picture = chart.picture
            assert picture is not None
            assert picture.y.high < 0.82
            line = picture.series[0].line
            inside = (line.x >= 2_000) & (line.x <= 2_100)
            assert line.x[inside].tolist() == list(range(2_000, 2_101, 10))
            assert (line.low == line.high).all()
        app.main.look(window=FixedRange(1_001.0, 1_009.0))
        await settle(pilot)
        for chart in charts(app)[1:]:
            picture = chart.picture
            assert picture is not None
            assert picture.y.low < 1.7 < 8.1 < picture.y.high, "the slope between two batches"
            assert any(
                "⠁" <= character <= "⣿" for y in range(5) for character in chart.render_line(y).text
            )


async def test_another_axis_shows_the_same_part_of_the_tail(bench: Bench) -> None:
    async with shown(bench) as (app, pilot):
        await press(pilot, "end", "x")
        assert seen(app) == {(0.0, 1_000.0)}
        assert subtitle(app) == "updates 0–1k of 4k · follows", "a quarter of SGD's plan"
        await press(pilot, "left", "x")
        assert app.main.viewer.view.window == WHOLE
        assert subtitle(app).startswith("seconds")


async def test_who_trains_is_followed_or_the_selected(bench: Bench) -> None:
    full, mini, _ = bench.names
    bench.train(full, [0.4] * 400, batch=BATCHES + 1)
    bench.train(mini, [0.4] * 200, batch=BATCHES + 1)
    async with shown(bench) as (app, pilot):
        app.main.look(window=FollowNewest(1_000.0))
        assert seen(app) == {(7_000.0, 8_000.0)}
        bench.write(full, state(State.FINISHED, 20.0))
        await settle(pilot)
        assert seen(app) == {(5_000.0, 6_000.0)}
        await press(pilot, "3")
        assert seen(app) == {(3_000.0, 4_000.0)}


async def test_at_rest_a_late_watcher_sees_the_same(bench: Bench) -> None:
    for name in bench.names:
        bench.write(name, state(State.PAUSED, 20.0))
    texts = []
    for keys in (["plus", "plus", "left"], ["end", "minus", "plus", "left"]):
        async with shown(bench, watching=True) as (app, pilot):
            await press(pilot, *keys)
            texts.append(text_of(app).splitlines()[1:])
    assert texts[0] == texts[1]


# --- Mouse ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 2])
async def test_the_wheel_zooms_at_the_pointer_in_every_chart(bench: Bench, place: int) -> None:
    async with shown(bench) as (app, pilot):
        chart = charts(app)[place]
        column = chart.canvas.width // 2
        share = (column + 0.5) / chart.canvas.width
        await turn(pilot, MouseScrollUp, chart, column, times=3)
        ((low, high),) = seen(app)
        assert high - low == pytest.approx(4_000 * 0.8**3)
        assert (4_000 * share - low) / (high - low) == pytest.approx(share)
        await turn(pilot, MouseScrollDown, chart, column, times=3)
        assert app.main.viewer.view.window == WHOLE


async def test_the_wheel_at_the_right_edge_stays_with_the_newest(bench: Bench) -> None:
    async with shown(bench) as (app, pilot):
        chart = charts(app)[0]
        await turn(pilot, MouseScrollUp, chart, chart.canvas.width - 1, times=2)
        assert app.main.viewer.view.window == FollowNewest(pytest.approx(4_000 * 0.64))
        bench.train(bench.names[2], [0.4] * 200, batch=BATCHES + 1)
        await settle(pilot)
        ((low, high),) = seen(app)
        assert low < 6_000 <= high


async def test_dragging_pans_and_a_double_click_resets(bench: Bench) -> None:
    async with shown(bench) as (app, pilot):
        await press(pilot, "plus", "plus")
        chart = charts(app)[0]
        width, left = chart.canvas.width, chart.gutter.left + chart.canvas.left
        await pilot.mouse_down(chart, (left + 10, 5))
        await pilot.hover(chart, (left + 30, 5))
        await settle(pilot)
        moved = 1_000 * 20 / width
        assert list(seen(app)) == [pytest.approx((3_000 - moved, 4_000 - moved))]
        await pilot.hover(chart, (left + 10, 5))
        await settle(pilot)
        assert app.main.viewer.view.window == FollowNewest(1_000.0)
        await pilot.mouse_up(chart, (left + 40, 5))
        await settle(pilot)
        assert isinstance(app.main.viewer.view.window, FixedRange)
        await pilot.double_click(chart, (left + 40, 5))
        await settle(pilot)
        assert app.main.viewer.view.window == WHOLE


async def test_the_labels_below_a_narrow_window_are_apart(bench: Bench) -> None:
    async with shown(bench, NARROW) as (app, pilot):
        app.main.look(window=FixedRange(1_234_567.0, 1_234_583.0))
        await settle(pilot)
        chart = app.query_one("#overlay", Chart)
        labels = re.findall(r"\d+", chart.render_line(chart.size.height - 1).text)
        assert len(labels) >= 3
        assert all(1_234_567 <= int(label) <= 1_234_583 for label in labels)
