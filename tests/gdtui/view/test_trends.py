"""Sharpness and noise scale over training: their lines, the breaks, the notes before."""

import math
from pathlib import Path

import numpy as np
import pytest
from app_bench import Bench, changed
from msgspec.structs import replace
from shown import text_of

from engine.log.measurements import NoiseScale, Sharpness
from engine.log.records import Chunk, Measured, MeasuringSet
from engine.log.records.chunk import packed
from gdtui.app import GdtuiApp
from gdtui.chart.scene.picture import Picture, Series
from gdtui.chart.scene.polyline import Axis
from gdtui.screens.trends import TrendsScreen
from gdtui.state.store import Store
from gdtui.view import trends
from gdtui.view.pictures import AxisRanges, ChartSize
from gdtui.view.view_state import ViewState

CANVAS = ChartSize(120, 60, 12)
NOISY = (100.0, 0.0, 0.01)


def noise(
    trace: float, low: float, high: float, covariance: tuple[float, float, float] = NOISY
) -> NoiseScale:
    return NoiseScale(
        value=trace, low=low, high=high, trace=trace, gradient_squared=1, samples=1984, batches=32,
        covariance=covariance,
    )  # fmt: skip


def measured(
    updates: int,
    *,
    batch: int = 64,
    edge: float | None = 200.0,
    generation: int = 1,
    **found: object,
) -> Measured:
    return Measured(
        generation=generation, epoch=1, updates=updates, samples=updates * 10,
        seconds=updates / 100, effective_batch=batch, lr=0.01, edge=edge, cost=0.01, **found,
    )  # type: ignore[arg-type] # fmt: skip


def sharp(value: float, error: float = 0.0) -> Sharpness:
    return Sharpness(value=value, error=error, products=9, samples=2000)


async def known(bench: Bench, app: GdtuiApp) -> Store:
    """The app's state of the run."""
    async with app.run_test():
        app.main.tick()
        return app.main.viewer.store


def mini(picture: Picture) -> tuple[Series, Series]:
    """The faint and the vivid line of the mini-batches."""
    faint, vivid = [one for one in picture.series if one.label.startswith("Mini-batch")]
    assert faint.faint
    assert not vivid.faint
    return faint, vivid


async def drawn(
    tmp_path: Path, *records: Measured, view: ViewState | None = None
) -> tuple[tuple[Series, Series], tuple[Series, Series]]:
    """Sharpness and noise of the mini-batches, after 100 of them."""
    bench = Bench(tmp_path / "run")
    bench.begin()
    bench.train(bench.names[1], np.linspace(0.8, 0.5, 100))
    bench.write(bench.names[1], *records)
    store = await known(bench, bench.app())
    pictures = (
        paint(store, view or ViewState(), CANVAS, AxisRanges(), "empty")[0]
        for paint in (trends.sharpness, trends.noise)
    )
    first, second = (mini(picture) for picture in pictures)
    return first, second


async def test_sharpness_stands_over_the_bound_that_was_in_force(tmp_path: Path) -> None:
    (edge, line), _ = await drawn(
        tmp_path,
        measured(10, sharpness=sharp(3.0)),
        measured(40, sharpness=sharp(5.0, error=2.0)),
        measured(60, edge=20.0, sharpness=sharp(7.0)),
    )
    assert line.line.x.tolist() == [100, 400, 600]
    assert np.array_equal(
        line.line.high, [3.0, math.nan, 7.0], equal_nan=True
    )  # not known well: a gap
    # The log has one lr all the way: what a measurement says of it moves no line.
    assert edge.line.x.tolist() == [0, 1000, 1000]
    assert edge.line.high.tolist() == [200, 200, 200]


async def test_the_faint_lines_and_the_marks_follow_the_log_without_a_measurement(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    name = bench.names[1]
    first = bench.run.info.settings.variants[1].settings
    bench.train(name, np.linspace(0.8, 0.6, 50))
    bench.write(name, changed(replace(first, batch_size=20, lr=0.1), 1))
    bench.write(name, trained(batch=51, size=20, lr=0.1))
    bench.write(name, changed(replace(first, batch_size=20, lr=0.1, momentum=0.5), 2, batch=101))
    store = await known(bench, bench.app())
    edge, _ = mini(trends.sharpness(store, ViewState(), CANVAS, AxisRanges(), "empty")[0])
    assert edge.line.x.tolist() == [0, 500, 500, 1500, 1500]
    assert edge.line.high.tolist() == [200, 200, 20, 20, 30]
    picture, _ = trends.noise(store, ViewState(), CANVAS, AxisRanges(), "press !")
    batch, _ = mini(picture)
    assert batch.line.high.tolist() == [10, 10, 20, 20, 20]
    assert picture.marks[0].label == "batch 64→20, lr 0.01→0.1"
    assert (picture.message, "press !" in picture.title) == ("", True)


def trained(batch: int, size: int, lr: float) -> Chunk:
    """Fifty batches of this size from this one on."""
    return Chunk(
        generation=1, epoch=1, batch=batch, update=batch, in_update=0, samples=(batch - 1) * 10,
        seconds=(batch - 1) * 0.01, duration=0.5, batch_size=size, last_batch_size=size,
        accumulation_steps=1, lr=lr, losses=np.full(50, 0.5, "<f4").tobytes(),
    )  # fmt: skip


async def test_an_optimizer_without_a_bound_has_no_faint_line(tmp_path: Path) -> None:
    picture = await sharpness_of(tmp_path, [{"optimizer": "Adam"}] * 3, edge=None)
    assert not any(one.faint for one in picture.series)
    assert picture.title == "curvature λ · ◆ measured"


async def test_the_bound_is_called_by_the_momentum(tmp_path: Path) -> None:
    picture = await sharpness_of(tmp_path / "a", [{"momentum": 0.9}] * 3, edge=380.0)
    assert (picture.faint, "faint: 3.8/lr, the edge" in picture.title) == ("3.8/lr", True)
    mixed: list[dict[str, object]] = [{"momentum": 0.9}, {}, {"optimizer": "Adam", "momentum": 0.5}]
    picture = await sharpness_of(tmp_path / "b", mixed, edge=380.0)
    assert (picture.faint, "faint: 2(1+β)/lr, the edge" in picture.title) == ("2(1+β)/lr", True)
    assert [one.faint for one in picture.series] == [True, False, True, False, False]


async def test_a_bound_that_was_in_force_before_is_still_named(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run", sizes="64")
    bench.begin()
    settings = bench.run.info.settings.variants[0].settings
    bench.train(bench.names[0], np.linspace(0.8, 0.5, 100))
    bench.write(bench.names[0], changed(replace(settings, momentum=0.9), 1))
    picture, _ = trends.sharpness(
        await known(bench, bench.app()), ViewState(), CANVAS, AxisRanges(), ""
    )
    assert picture.faint == "2(1+β)/lr"


async def sharpness_of(
    path: Path, settings: list[dict[str, object]], edge: float | None
) -> Picture:
    """Measured once for each variant, under settings that are in force from the start."""
    bench = Bench(path)
    for name, different in zip(bench.names, settings, strict=True):
        bench.set(name, **different)
    bench.begin()
    for name in bench.names:
        bench.train(name, [0.8] * 10)
        bench.write(name, measured(10, edge=edge, sharpness=sharp(3.0)))
    return trends.sharpness(await known(bench, bench.app()), ViewState(), CANVAS, AxisRanges(), "")[
        0
    ]


async def test_noise_is_smoothed_over_its_points_and_stands_against_the_batch(
    tmp_path: Path,
) -> None:
    _, (batch, line) = await drawn(
        tmp_path,
        measured(10, batch=32, noise=noise(40, 25, 60)),
        measured(20, batch=64, noise=noise(60, 10, math.inf)),
        view=ViewState(axis=Axis.UPDATES),
    )
    assert line.line.x.tolist() == [10, 20]
    assert line.line.high.tolist() == pytest.approx([40, (0.75 * 40 + 60) / 1.75])
    assert line.points.high.tolist() == [40]
    assert line.validation.high.tolist() == [60]  # hollow: not reliable
    bars = np.isfinite(line.bars.low)
    assert (line.bars.low[bars].tolist(), line.bars.high[bars].tolist()) == ([25], [60])
    assert batch.line.high.tolist() == [10, 10, 64]  # of the log; last: the settings in force


async def test_nothing_is_drawn_where_the_average_is_not_reliable(tmp_path: Path) -> None:
    _, (_, line) = await drawn(
        tmp_path, measured(10, noise=noise(40, 5, math.inf, (400.0, 0.0, 0.2)))
    )
    assert np.isnan(line.line.high).all()


async def test_another_generation_begins_anew(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    name = bench.names[1]
    bench.write(name, measured(10, noise=noise(40, 25, 60)))
    bench.begin(2, names=[name])
    bench.train(name, [0.8], generation=2)
    bench.write(name, measured(30, noise=noise(80, 60, 90)))  # late: of the generation before
    bench.write(name, measured(5, generation=2, noise=noise(15, 12, 20, (1.0, 0.0, 1e-3))))
    store = await known(bench, bench.app())
    _, line = mini(trends.noise(store, ViewState(), CANVAS, AxisRanges(), "")[0])
    assert line.points.high.tolist() == [15]


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_the_screen_grows_while_it_is_open_and_closes(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        app.main.tick()
        await pilot.press("V")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, TrendsScreen)
        assert text_of(app).count("! measures now") == 2
        bench.train(bench.names[1], np.linspace(0.8, 0.5, 100))
        bench.write(bench.names[1], measured(50, noise=noise(40, 25, 60), sharpness=sharp(3.0)))
        app.main.tick()
        screen.draw()
        await pilot.pause()
        shown = text_of(app)
        assert shown.count("◆") == 4  # a title and a point each
        assert "faint: 2/lr" in shown
        assert "faint: effective batch" in shown
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is not screen


async def test_an_empty_screen_says_what_to_do(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    for name in bench.names:
        bench.write(name, MeasuringSet(is_on=False))
    for app, said in (
        (bench.app(), "press ! to measure now, M"),
        (bench.app(watching=True), "nothing has been measured"),
    ):
        async with app.run_test(size=(80, 24)) as pilot:
            app.main.tick()
            await pilot.press("V")
            await pilot.pause()
            app.screen.draw()  # type: ignore[attr-defined]
            await pilot.pause()
            assert text_of(app).count(said) == 2


async def test_a_change_of_settings_is_marked(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    name = bench.names[1]
    bench.train(name, np.linspace(0.8, 0.5, 100))
    settings = bench.run.info.settings.variants[2].settings
    bench.write(name, changed(settings, 1), measured(60, noise=noise(40, 25, 60)))
    store = await known(bench, bench.app())
    picture, _ = trends.noise(store, ViewState(), CANVAS, AxisRanges(), "")
    assert [mark.label for mark in picture.marks] == ["batch 64→1"]


async def test_a_schedule_is_a_line_and_a_constant_lr_a_level_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    first, second, _ = bench.names
    lrs = [0.1 * (1 - k / 50) for k in range(50)]
    bench.write(first, replace(trained(1, 10, 0.1), lr=packed(lrs)))
    bench.write(second, trained(1, 10, 0.05))
    store = await known(bench, bench.app())
    picture, _ = trends.lr(store, ViewState(axis=Axis.UPDATES), CANVAS, AxisRanges(), "")
    falling, level, none = (each.line for each in picture.series)
    assert falling.x.tolist() == list(range(50))
    assert falling.high.tolist() == lrs
    assert set(level.high.tolist()) == {0.05}
    assert none.is_empty
    few, _ = trends.lr(store, ViewState(), ChartSize(10, 5, 5), AxisRanges(), "")
    line = few.series[0].line
    assert (len(line.x), line.high[0], line.high[-1]) == (12, lrs[0], lrs[-1])
