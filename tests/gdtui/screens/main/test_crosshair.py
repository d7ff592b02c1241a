"""The crosshair, by keys and mouse: the same x in every chart, and the values read out there."""

import re

import pytest
from app_bench import NARROW, WIDE, Bench, evaluation, settle, state
from explore_bench import bench, charts, press, seen, shown
from shown import text_of
from textual.pilot import Pilot

from engine.log.records import State
from gdtui.app import GdtuiApp
from gdtui.chart.drawing import canvas
from gdtui.chart.widget.chart import Chart
from gdtui.view.x_range import FixedRange

__all__ = ["bench"]


def column(chart: Chart) -> int | None:
    """The column of the line in the second row; the first one has counts of what is beyond."""
    row = chart.render_line(1).text
    found = [at for at in range(chart.canvas.left, len(row)) if row[at] == "│"]
    assert len(found) <= 1
    return found[0] - chart.canvas.left if found else None


def read_out(app: GdtuiApp) -> list[dict[str, str]]:
    """The names and values in each panel."""
    found = []
    for panel in app.query(".panel"):
        lines = [str(panel.query_one(f".{part}").render()) for part in ("settings", "figures")]
        words = " ".join(lines).split()
        found.append(dict(zip(words[::2], words[1::2], strict=True)))
    return found


async def hover(pilot: Pilot[None], chart: Chart, at: int, row: int = 2) -> None:
    """The mouse over a column of a chart's canvas."""
    gutter = chart.gutter
    await pilot.hover(chart, (gutter.left + chart.canvas.left + at, gutter.top + row))
    await settle(pilot)


async def test_by_key_it_begins_at_the_newest_and_reads_out_every_variant(bench: Bench) -> None:
    async with shown(bench) as (app, pilot):
        before = text_of(app).splitlines()[1:]
        await press(pilot, "h")
        where = [column(chart) for chart in charts(app)]
        assert all(at is not None and at >= chart.canvas.width - 2
                   for at, chart in zip(where, charts(app), strict=True))  # fmt: skip
        for place, found in enumerate(read_out(app)):
            assert found["batch"] == found["update"]
            assert 398 <= int(found["batch"]) <= 400
            assert int(found["samples"].replace(",", "")) == 10 * (int(found["batch"]) - 1)
            assert found["epoch"] == "1"
            assert float(found["seconds"]) == pytest.approx((int(found["batch"]) - 1) * 0.01)
            assert float(found["loss"]) == pytest.approx(0.3 + place / 10, abs=0.005)
            assert float(found["smooth"]) > float(found["loss"])
            assert (found["size"], found["lr"]) == ("10", "0.01")
        await press(pilot, "escape")
        assert text_of(app).splitlines()[1:] == before


async def test_keys_move_it_by_one_column_and_by_ten(bench: Bench) -> None:
    async with shown(bench) as (app, pilot):
        await press(pilot, "h")
        start = column(charts(app)[0])
        assert start is not None
        for keys, moved in (("h", -1), ("H", -11), ("l", -10), ("L", 0)):
            await press(pilot, keys)
            assert column(charts(app)[0]) == start + moved
        await press(pilot, "L", "L")
        assert column(charts(app)[0]) == start
        await press(pilot, *["H"] * 20)
        assert column(charts(app)[0]) == 0
        assert [found["batch"] for found in read_out(app)] == ["1"] * 3


async def test_at_the_edge_of_a_window_it_takes_the_window_along(bench: Bench) -> None:
    async with shown(bench) as (app, pilot):
        app.main.look(window=FixedRange(2_000.0, 3_000.0))
        await press(pilot, "h")
        width = charts(app)[0].canvas.width
        await press(pilot, "l")
        assert seen(app) == {(2_250.0, 3_250.0)}
        assert column(charts(app)[0]) == pytest.approx(0.75 * width, abs=1)
        await press(pilot, *["H"] * (width * 3 // 40 + 2))
        ((low, high),) = seen(app)
        assert high - low == pytest.approx(1_000.0)
        assert low < 2_250.0


async def test_zooming_by_key_is_at_the_crosshair(bench: Bench) -> None:
    async with shown(bench) as (app, pilot):
        await press(pilot, "h", *["H"] * 7)
        (batch, *_), at = (found["batch"] for found in read_out(app)), app.main.viewer.cursor
        assert at is not None
        await press(pilot, "plus", "plus")
        ((low, high),) = seen(app)
        assert high - low == 1_000.0
        assert (at - low) / 1_000 == pytest.approx(at / 4_000)
        assert read_out(app)[0]["batch"] == batch


@pytest.mark.parametrize("place", [0, 3])
async def test_the_mouse_moves_it_in_all_charts_and_takes_it_away(bench: Bench, place: int) -> None:
    async with shown(bench, watching=True) as (app, pilot):
        chart = charts(app)[place]
        middle = chart.canvas.width // 2
        await hover(pilot, chart, middle)
        assert column(chart) == middle
        for other in charts(app):
            at = column(other)
            assert at is not None
            assert at / other.canvas.width == pytest.approx(0.5, abs=0.02)
        assert {abs(int(found["batch"]) - 200) <= 6 for found in read_out(app)} == {True}
        await pilot.hover("#header")
        await settle(pilot)
        assert [column(each) for each in charts(app)] == [None] * 4
        assert text_of(app).count("noise 0.") == 3


async def test_what_comes_below_a_mouse_at_rest_is_read_out(bench: Bench) -> None:
    async with shown(bench) as (app, pilot):
        chart = charts(app)[0]
        await hover(pilot, chart, 30)
        await press(pilot, "end")
        assert column(chart) == 30
        assert app.main.viewer.cursor == pytest.approx(chart.x_at(30))
        await press(pilot, "l", "home")
        assert app.main.viewer.cursor is not None
        assert app.main.viewer.cursor > 3_000, "keys have moved it: it stays with its batch"
        await pilot.hover("#header")
        await settle(pilot)
        assert column(chart) is not None
        await hover(pilot, chart, 90)  # beside the count of the spikes
        assert column(chart) == 90


async def test_hidden_it_comes_back_when_the_mouse_moves(bench: Bench) -> None:
    async with shown(bench) as (app, pilot):
        chart = charts(app)[0]
        await hover(pilot, chart, 30)
        await press(pilot, "escape", "end")
        assert column(chart) is None
        await hover(pilot, chart, 31)
        assert column(chart) == 31


async def test_on_a_small_screen_a_table_stands_below_the_chart(bench: Bench) -> None:
    async with shown(bench, NARROW) as (app, pilot):
        before = text_of(app).splitlines()
        await press(pilot, "2", "h", "H")
        after = text_of(app).splitlines()
        place = next(
            at for at, line in enumerate(after) if " samples " in line and " smooth " in line
        )
        heading, rows = after[place], after[place + 1 : place + 4]
        assert place == next(at for at, line in enumerate(before) if "samples ─╯" in line)
        names = heading.split()[-10:-1]
        assert " ".join(names) == "batch update ep samples sec loss smooth size lr"
        for name, row in zip(("Batch GD", "Mini-batch", "SGD"), rows, strict=True):
            assert name in row
            assert len(re.findall(r"\S+", row.split(name)[1])) == 9
            assert row.rstrip().endswith("0.01")
            assert row.rindex("0.01") + 4 == heading.rindex("lr") + 2
        assert "▸2" in rows[1]
        await press(pilot, "escape", "0")
        assert text_of(app).splitlines()[1:] == before[1:]


async def test_where_a_variant_has_not_been_there_is_no_batch(bench: Bench) -> None:
    bench.train(bench.names[2], [0.4] * 400, batch=401)
    for size in (WIDE, NARROW):
        async with shown(bench, size) as (app, pilot):
            await press(pilot, "h")
            assert text_of(app).count("no batch here") == 2


async def test_the_results_give_way_to_it_and_it_to_escape(bench: Bench) -> None:
    for name in bench.names:
        bench.write(name, evaluation(1, loss=0.3), state(State.FINISHED, 20.0))
    async with shown(bench) as (app, pilot):
        assert app.query_one("#summary").display
        await press(pilot, "h")
        assert not app.query_one("#summary").display
        await press(pilot, "i", "escape")
        assert app.main.viewer.cursor is not None, "escape takes what lies on top"
        await press(pilot, "escape")
        assert app.main.viewer.cursor is None


async def test_moving_it_draws_no_picture(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(bench) as (app, pilot):
        await press(pilot, "h")
        painted = []
        monkeypatch.setattr(canvas, "paint", lambda *given: painted.append(given))
        await press(pilot, "h", "H")
        await hover(pilot, charts(app)[0], 20)
        await hover(pilot, charts(app)[0], 90)
        assert painted == []
        assert column(charts(app)[1]) is not None


async def test_an_axis_of_other_units_has_no_crosshair_yet(bench: Bench) -> None:
    async with shown(bench) as (app, pilot):
        await press(pilot, "h", "x")
        assert app.main.viewer.cursor is None
        await press(pilot, "l")
        assert read_out(app)[0]["batch"] == "400"
