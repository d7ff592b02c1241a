"""The chart on a screen: its text at every size, its repaints, its themes."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from textual.app import App, ComposeResult
from textual.color import Color
from textual.events import MouseEvent, MouseScrollDown, MouseScrollUp
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot

from gdtui.chart.scene.axes import x_scale, y_scale
from gdtui.chart.scene.palette import DARK
from gdtui.chart.scene.picture import Picture, Scale, Series
from gdtui.chart.scene.polyline import EMPTY, Polyline
from gdtui.chart.widget.chart import Chart


class OneChart(App[None]):
    """A screen with nothing but a chart."""

    CSS = "Chart { width: 1fr; height: 1fr; }"

    def __init__(self, theme: str = "textual-dark") -> None:
        super().__init__()
        self.theme = theme

    def compose(self) -> ComposeResult:
        yield Chart(title="loss", message="starting")

    @property
    def chart(self) -> Chart:
        return self.query_one(Chart)


def picture(points: int = 300, shift: float = 0.0, title: str = "loss") -> Picture:
    x = np.linspace(0, 40_000, points)
    values = 0.7 * np.exp(-x / 15_000) + shift
    line = Polyline(x, values, values)
    band = Polyline(x, values - 0.05, values + 0.05)
    points_ = Polyline(x[:: points // 3], values[:: points // 3], values[:: points // 3])
    series = Series("Mini-batch", DARK[1], line, band, points_)
    x_axis, y_axis = x_scale(40_000, 60, "samples"), y_scale((0.0, 1.0), 15)
    return Picture(x_axis, y_axis, (series,), title=title)


def rows(chart: Chart) -> list[str]:
    return [chart.render_line(y).text for y in range(chart.size.height)]


def painted(chart: Chart) -> list[list[tuple[str, str]]]:
    """Every cell's character and style: what the terminal would be sent."""
    lines = [chart.render_line(y) for y in range(chart.size.height)]
    return [
        [(character, str(segment.style)) for segment in line for character in segment.text]
        for line in lines
    ]


def screen(app: App[None]) -> list[str]:
    """The text of the whole screen, borders included."""
    return [strip.text for strip in app.query_one(Chart).render_lines(app.screen.region)]


async def test_before_the_first_picture_the_message_stands_in_the_middle() -> None:
    app = OneChart()
    async with app.run_test(size=(40, 11)):
        lines = screen(app)
        assert lines[0].startswith("╭─ loss ─")
        assert lines[5].strip("│").strip() == "starting"
        assert 15 <= lines[5].index("starting") <= 17
        assert all(not line.strip("│ ") for line in lines[1:5])


async def test_a_picture_shows_its_line_points_ticks_and_titles() -> None:
    app = OneChart()
    async with app.run_test(size=(70, 20)) as pilot:
        app.chart.show(picture(title="smoothed [loss]"))
        await pilot.pause()
        lines = screen(app)
        assert lines[0].startswith("╭─ smoothed [loss] ─")
        assert lines[-1].endswith(" samples ─╯")
        text = "\n".join(lines)
        assert {"0", "10k", "20k", "30k", "40k"} <= set(lines[-2].strip("│").split())
        assert "◆" in text
        assert any("⠁" <= character <= "⣿" for character in text)
        assert "starting" not in text


async def test_a_message_hides_the_data_and_goes_again() -> None:
    app = OneChart()
    async with app.run_test(size=(70, 20)) as pilot:
        app.chart.show(picture())
        shown = rows(app.chart)
        app.chart.show(replace(picture(), message="out of memory"))
        await pilot.pause()
        assert "".join(rows(app.chart)).strip() == "out of memory"
        app.chart.show(picture())
        await pilot.pause()
        assert rows(app.chart) == shown


SIZES = [(w, h) for w in (1, 2, 3, 5, 10, 19, 40, 80, 300) for h in (1, 2, 3, 5, 6, 12, 24, 100)]


async def test_no_size_is_too_small_or_too_large() -> None:
    app = OneChart()
    async with app.run_test(size=(80, 24)) as pilot:
        for size in SIZES:
            for shown in (picture(), replace(picture(), message="a longer message\nof two lines")):
                app.chart.show(shown)
                await pilot.resize_terminal(*size)
                await pilot.pause()
                width, height = app.chart.size
                assert {len(row) for row in rows(app.chart)} <= {width}, size
                assert app.chart.columns <= 2 * width
                assert app.chart.rows <= height


async def test_a_small_chart_is_dots_only() -> None:
    app = OneChart()
    async with app.run_test(size=(16, 6)) as pilot:
        app.chart.show(picture())
        await pilot.pause()
        assert set("".join(rows(app.chart))) - set(" ◆•") <= {chr(c) for c in range(0x2800, 0x2900)}
        assert app.chart.columns == 2 * app.chart.size.width


async def test_after_a_resize_it_looks_as_if_it_had_always_had_that_size() -> None:
    app, fresh = OneChart(), OneChart()
    async with app.run_test(size=(120, 40)) as pilot:
        app.chart.show(picture())
        await pilot.pause()
        await pilot.resize_terminal(61, 17)
        await pilot.pause()
        resized, resized_screen = painted(app.chart), screen(app)
    async with fresh.run_test(size=(61, 17)) as pilot:
        fresh.chart.show(picture())
        await pilot.pause()
        assert painted(fresh.chart) == resized
        assert screen(fresh) == resized_screen


async def test_after_a_change_of_theme_it_looks_as_if_it_had_always_had_that_theme() -> None:
    app, fresh = OneChart("textual-dark"), OneChart("textual-light")
    async with app.run_test(size=(70, 20)) as pilot:
        app.chart.show(picture())
        await pilot.pause()
        dark = painted(app.chart)
        app.theme = "textual-light"
        await pilot.pause()
        await pilot.pause()
        switched = painted(app.chart)
    async with fresh.run_test(size=(70, 20)) as pilot:
        fresh.chart.show(picture())
        await pilot.pause()
        assert painted(fresh.chart) == switched
    assert switched != dark


async def test_many_small_steps_leave_no_stale_cell() -> None:
    app, fresh = OneChart(), OneChart()
    async with app.run_test(size=(70, 20)) as pilot:
        for step in range(30):
            app.chart.show(picture(shift=step / 100))
            rows(app.chart)
        await pilot.pause()
        stepped = painted(app.chart)
    async with fresh.run_test(size=(70, 20)) as pilot:
        fresh.chart.show(picture(shift=0.29))
        await pilot.pause()
        assert painted(fresh.chart) == stepped


class Repaints:
    """Notes what a chart asks to have repainted."""

    def __init__(self, chart: Chart, monkeypatch: pytest.MonkeyPatch) -> None:
        self.regions: list[Region] = []
        self.whole = 0
        refresh = chart.refresh

        def noting(*regions: Region, **options: bool) -> Chart:
            self.regions += regions
            self.whole += not regions
            return refresh(*regions, **options)

        monkeypatch.setattr(chart, "refresh", noting)


async def test_only_what_changed_is_repainted(monkeypatch: pytest.MonkeyPatch) -> None:
    app = OneChart()
    async with app.run_test(size=(90, 30)) as pilot:
        x, y = np.linspace(0, 1, 100), np.full(100, 0.55)
        scale = Scale(0.0, 1.0)

        def shown(points: int) -> Picture:
            line = Polyline(x[:points], y[:points], y[:points])
            return Picture(scale, scale, (Series("a", DARK[0], line),), title="loss")

        app.chart.show(shown(50))
        await pilot.pause()
        before = painted(app.chart)
        repaints = Repaints(app.chart, monkeypatch)
        app.chart.show(shown(50))
        assert repaints.regions == []
        app.chart.show(shown(54))
        after = painted(app.chart)
        assert repaints.whole == 0
        assert 0 < sum(region.area for region in repaints.regions) <= 12
        for row, (old, new) in enumerate(zip(before, after, strict=True)):
            for column, (was, now) in enumerate(zip(old, new, strict=True)):
                covered = any(region.contains(column, row) for region in repaints.regions)
                assert was == now or covered


async def test_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = OneChart()
    async with app.run_test(size=(70, 20)) as pilot:
        await pilot.pause()
        app.chart.show(picture())
        await pilot.pause()
        assert "◆" in "".join(screen(app))
        assert "loss" in app.export_screenshot()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e300])
async def test_an_impossible_picture_is_no_crash(bad: float) -> None:
    values = np.array([bad, 0.5, -bad])
    polyline = Polyline(np.array([0.0, 1.0, bad]), values, values)
    series = (Series("a", DARK[0], polyline, polyline, polyline), Series("b", DARK[1], EMPTY))
    app = OneChart()
    async with app.run_test(size=(60, 16)) as pilot:
        for y in (Scale(0.0, bad), Scale(bad, bad, log=True), Scale(1.0, 1.0)):
            app.chart.show(Picture(Scale(0.0, bad, ((bad, "bad"),)), y, series))
            await pilot.pause()
            assert len(rows(app.chart)) == 14


class Listening(OneChart):
    """Notes what the chart says the mouse does."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Message] = []

    def on_chart_zoomed(self, message: Chart.Zoomed) -> None:
        self.heard.append(message)

    def on_chart_dragged(self, message: Chart.Dragged) -> None:
        self.heard.append(message)

    def on_chart_reset(self, message: Chart.Reset) -> None:
        self.heard.append(message)


async def turn(pilot: Pilot[None], kind: type[MouseEvent], at: tuple[int, int]) -> None:
    """The wheel, at a cell of the chart with its border."""
    x, y = at
    pilot.app.post_message(
        kind(None, x, y, 0, 0, 0, shift=False, meta=False, ctrl=False, screen_x=x, screen_y=y)
    )
    await pilot.pause()


async def test_the_mouse_on_the_canvas_is_told_in_shares_of_it() -> None:
    app = Listening()
    async with app.run_test(size=(70, 20)) as pilot:
        chart = app.chart
        await turn(pilot, MouseScrollUp, (10, 3))
        assert app.heard == [], "there is nothing to be seen yet"
        chart.show(picture())
        await pilot.pause()
        assert chart.columns == 2 * (68 - 6)
        assert chart.rows == 16
        for beside in ((6, 4), (7, 17), (0, 0), (69, 4)):
            await turn(pilot, MouseScrollUp, beside)
            await pilot.mouse_down(Chart, beside)
            await pilot.hover(Chart, (30, 4))
            await pilot.mouse_up(Chart, beside)
        assert app.heard == []
        await turn(pilot, MouseScrollUp, (7, 1))
        await turn(pilot, MouseScrollDown, (68, 16))
        near, far = app.heard
        assert isinstance(near, Chart.Zoomed)
        assert isinstance(far, Chart.Zoomed)
        assert near.seen == far.seen == (0.0, 40_000.0)
        assert near.factor == pytest.approx(1 / far.factor)
        assert near.factor < 1
        assert (near.share, far.share) == pytest.approx((0.5 / 62, 61.5 / 62))


async def test_dragging_is_told_from_where_the_mouse_went_down() -> None:
    app = Listening()
    async with app.run_test(size=(70, 20)) as pilot:
        app.chart.show(picture())
        await pilot.pause()
        await pilot.mouse_down(Chart, (30, 4))
        for x, y in [(30, 4), (40, 4), (3, 0), (30, 19)]:
            await pilot.hover(Chart, (x, y))
        await pilot.mouse_up(Chart, (30, 4))  # which hovers there first
        await pilot.hover(Chart, (20, 4))
        shares = [message.share for message in app.heard if isinstance(message, Chart.Dragged)]
        assert shares == pytest.approx([10 / 62, -27 / 62, 0, 0])
        assert app.mouse_captured is None
        await pilot.double_click(Chart, offset=(30, 5))
        assert [type(message) for message in app.heard[4:]] == [Chart.Reset]


def test_the_first_frame_waits_for_neither_numpy_nor_plotext() -> None:
    code = (
        "import sys, gdtui.chart.widget.chart, gdtui.chart.scene.palette\n"
        "print([name for name in ('numpy', 'plotext', 'torch') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(("is_good", "colour"), [(False, "foreground"), (True, "success")])
async def test_the_part_of_the_title_that_matters_most_is_set_off(
    is_good: bool, colour: str
) -> None:
    title = "loss · gap 0.68 → 0.004 · ◆ on all data"
    app = OneChart()
    async with app.run_test(size=(70, 20)) as pilot:
        shown = picture(title=title)
        app.chart.show(shown)
        app.chart.show(replace(shown, headline="gap 0.68 → 0.004", is_good_news=is_good))
        await pilot.pause()
        (strip, *_) = app.query_one(Chart).render_lines(app.screen.region)
        (found,) = (each for each in strip if "gap" in each.text)
        assert found.text == "gap 0.68 → 0.004"
        assert found.style is not None
        assert found.style.bold
        assert found.style.color is not None
        wanted = Color.parse(app.theme_variables[colour]).rgb
        drawn = found.style.color.get_truecolor()
        assert max(abs(a - b) for a, b in zip(wanted, drawn, strict=True)) <= 40
        assert title in strip.text
