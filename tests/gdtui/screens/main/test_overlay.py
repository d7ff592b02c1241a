"""Several runs over each other on screen: all of it works as for one, and each keeps its own n."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from app_bench import NARROW, WIDE, Bench, row, see, settle
from overlay_bench import set_settings, watching
from shown import text_of
from textual.pilot import Pilot

from engine.log.directory import RunDirectory
from engine.log.records import State
from engine.sweep.directory import SweepDirectory
from gdtui.chart.scene.polyline import Axis
from gdtui.chart.widget.chart import Chart
from gdtui.control.pace_controller import WATCHING
from gdtui.view import epoch_lines
from gdtui.view.x_range import XRange

MakeRun = Callable[..., RunDirectory]
MakeSweep = Callable[..., SweepDirectory]


@pytest.fixture
def two(make_run: MakeRun, tmp_path: Path) -> tuple[Path, Path]:
    """Two runs of two variants each, of 30 and of 10 epochs."""
    return tuple(
        make_run(tmp_path / name, epochs=epochs).path for name, epochs in (("one", 30), ("two", 10))
    )  # type: ignore[return-value]


@pytest.fixture
def unlike(make_run: MakeRun, tmp_path: Path) -> tuple[Path, Path]:
    """A run of 2,000 samples an epoch, in batches of 10, and one of 10, in batches of 4."""
    bench = Bench(tmp_path / "large", sizes="64")
    bench.begin()
    bench.finish()
    return bench.run.path, make_run(tmp_path / "small", names=("SGD",), epochs=20).path


@pytest.fixture
def plotless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib, which would add a PNG to what p saves."""
    monkeypatch.setitem(sys.modules, "gdtui.plot.drawing", None)


async def keys(pilot: Pilot[None], *pressed: str) -> str:
    """Press them; the screen then."""
    await pilot.press(*pressed)
    await settle(pilot)
    return text_of(pilot.app)


# --- What is seen ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, (120, 30), NARROW])
async def test_the_variants_of_all_runs_under_names_that_tell_them_apart(
    size: tuple[int, int], two: tuple[Path, Path]
) -> None:
    app = watching(*two)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert row(app, "gdtui").startswith(" gdtui · 2 runs")
        assert row(app, "gdtui").rstrip().endswith("finished · watching")
        shown = await keys(pilot, "escape")
        found = set(re.findall(r"\b(one|two): (Mini-bat|SGD)", shown))
        assert found == {("one", "Mini-bat"), ("one", "SGD"), ("two", "Mini-bat"), ("two", "SGD")}
        colours = {series.colour for series in app.query_one("#overlay", Chart).picture.series}
        assert len(colours) == 4


async def test_each_variant_has_its_own_epochs(unlike: tuple[Path, Path]) -> None:
    """n is 2,000 and 10: samples, updates, seconds and smoothing follow from each run's own."""
    app = watching(*unlike)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        viewer = app.main.viewer
        large, small = viewer.store.states
        assert (large.tally.n, small.tally.n) == (2000, 10)
        ends = {
            axis: [one.current.history.end(axis) for one in (large, small) if one.current]
            for axis in Axis
        }
        assert ends == {
            Axis.SAMPLES: [2000.0, 200.0],
            Axis.UPDATES: [200.0, 60.0],
            Axis.SECONDS: [2.0, 20.0],
        }
        seen = XRange(0.0, 200.0)
        assert epoch_lines.of_all(viewer.store, Axis.SAMPLES, seen, 100) == ()
        assert small.current is not None
        own = epoch_lines.of_one(viewer.store, small.current, Axis.SAMPLES, XRange(0, 55), 100)
        assert own == (10.0, 20.0, 30.0, 40.0, 50.0)
        viewer.cursor = 104.0
        batches = [viewer.under_cursor(one) for one in (large, small)]
        assert [(batch.batch, batch.epoch) for batch in batches if batch] == [(11, 1), (32, 11)]
        assert "epoch  1/20" in row(app, "gdtui")  # of the one with the fewest epochs done


async def test_runs_of_one_n_have_their_epochs_marked(two: tuple[Path, Path]) -> None:
    app = watching(*two)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        lines = epoch_lines.of_all(app.main.viewer.store, Axis.SAMPLES, XRange(0, 45), 100)
        assert lines == (10.0, 20.0, 30.0, 40.0)


async def test_settings_that_differ_are_told_in_the_header(
    make_run: MakeRun, tmp_path: Path
) -> None:
    paths = []
    for name, seed in (("a", 3), ("b", 5)):
        run = make_run(tmp_path / name, names=("SGD",))
        set_settings(run, seed=seed)
        paths.append(run.path)
    app = watching(*paths)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "2 runs · synthetic · Linear(1,1) · cpu · seeds 3, 5" in row(app, "gdtui")


# --- What is said of it ---------------------------------------------------------------------------


async def test_the_results_are_those_of_all_and_say_no_more_than_is_known(
    two: tuple[Path, Path],
) -> None:
    app = watching(*two)
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        shown = text_of(app)
        assert len(re.findall(r"│ \d (one|two): ", shown)) == 4
        assert "after 30 / 30 / 10 / 10 epochs" in " ".join(shown.split())
        shown = await keys(pilot, "escape", "e")
        assert "are from 2 runs of the same problem and seed" in said(shown)
        assert "train at the same time" not in said(shown)


async def test_runs_of_different_problems_are_not_compared(
    make_run: MakeRun, two: tuple[Path, Path], tmp_path: Path
) -> None:
    other = make_run(tmp_path / "other")
    set_settings(other, problem="digits")
    app = watching(two[0], other.path)
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "The runs train different problems (synthetic, digits): their losses may")
        assert "apart" not in text_of(app)
        assert "may not be comparable" in row(app, "may not be comparable")
        assert "synthetic, digits" in row(app, "gdtui")
        app.clear_notifications()
        shown = said(await keys(pilot, "escape", "e"))
        assert "of different problems" in shown
        assert "apart" not in shown


def said(shown: str) -> str:
    """The text of a page, without its frame and its breaks."""
    return " ".join(re.sub("[│▆▇]", " ", shown).split())


# --- Keys -----------------------------------------------------------------------------------------


async def test_it_is_only_watched(two: tuple[Path, Path]) -> None:
    before = {path: path.read_bytes() for run in two for path in run.iterdir()}
    app = watching(*two)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        for key in ("right_square_bracket", "comma", "enter", "r", "S", "space", "c", "f"):
            app.clear_notifications()
            await pilot.press(key)
            await pilot.pause()
            assert app.note_texts == {WATCHING}, key
    assert {path: path.read_bytes() for run in two for path in run.iterdir()} == before


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_every_key_that_looks_works(size: tuple[int, int], two: tuple[Path, Path]) -> None:
    app = watching(*two)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        for key in (
            "escape",
            "x",
            "y",
            "w",
            "b",
            "plus",
            "h",
            "L",
            "home",
            "end",
            "z",
            "3",
            "z",
            "0",
            "t",
            "i",
            "g",
        ):
            await keys(pilot, key)
            assert app.crash == ""
        pages = {"V": "curvature", "T": "lr by", "e": "explained", "k": "as code", "X": "saddle"}
        for key, part in {**pages, "W": "sweep"}.items():
            assert part in await keys(pilot, key), key
            await keys(pilot, "escape")


async def test_the_crosshair_reads_out_all_variants(two: tuple[Path, Path]) -> None:
    app = watching(*two)
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        shown = await keys(pilot, "escape", *["h"] * 60)
        assert app.main.viewer.cursor is not None
        assert "no batch here" not in shown
        shown = await keys(pilot, "l", *["L"] * 9)
        assert shown.count("no batch here") == 2  # beyond the end of the shorter run


async def test_the_code_is_that_of_the_variants_own_run(make_run: MakeRun, tmp_path: Path) -> None:
    paths = []
    for name, seed in (("a", 3), ("b", 5)):
        run = make_run(tmp_path / name, names=("SGD",))
        set_settings(run, seed=seed)
        paths.append(run.path)
    app = watching(*paths)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "--seed 3" in await keys(pilot, "escape", "k")
        assert "--seed 5" in await keys(pilot, "right")


@pytest.mark.usefixtures("plotless")
async def test_pictures_of_several_runs_go_where_the_user_is(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    app = watching(*two)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await keys(pilot, "escape", "p", "4", "p")
        names = {path.name.split("-", 3)[3] for path in (tmp_path / "here").iterdir()}
        assert names == {
            *("screen.svg", "screen.txt", "overlay.txt", "overlay.html"),
            *("4-two-sgd.txt", "4-two-sgd.html"),
        }
    assert not any((run / "stills").exists() for run in two)


@pytest.mark.usefixtures("plotless")
async def test_pictures_of_a_sweep_lie_with_it(make_sweep: MakeSweep, tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path / "sweep")
    app = watching(sweep.path)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await keys(pilot, "escape", "p")
    names = sorted(path.name.split("-", 3)[3] for path in (sweep.path / "stills").iterdir())
    assert names == ["overlay.html", "overlay.txt", "screen.svg", "screen.txt"]


# --- While it goes on -----------------------------------------------------------------------------


async def test_a_run_that_trains_grows_beside_one_that_has_ended(
    make_run: MakeRun, tmp_path: Path
) -> None:
    ended = make_run(tmp_path / "ended", names=("SGD",), epochs=20)
    bench = Bench(tmp_path / "going", sizes="64")
    bench.begin()
    app = watching(ended.path, bench.run.path)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert row(app, "gdtui").rstrip().endswith("running · watching")
        (name,) = bench.names
        bench.train(name, [0.5] * 100)
        await settle(pilot)
        going = app.main.viewer.store.states[1]
        assert (going.tally.name, going.tally.batches) == ("going", 100)
        assert going.tally.state is State.RUNNING


async def test_a_run_that_is_removed_is_told_and_the_other_stays(two: tuple[Path, Path]) -> None:
    app = watching(*two)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        shutil.rmtree(two[0])
        await settle(pilot)
        assert [text for text in app.note_texts if "is gone" in text] == [
            f"{two[0]} is gone: it was removed or moved. This is how far it was read"
        ]
        notices = [one.notice for one in app.main.viewer.store.states]
        assert ["is gone" in notice for notice in notices] == [True, True, False, False]


async def test_a_sweep_that_goes_on_shows_arms_as_they_begin(
    make_run: MakeRun, make_sweep: MakeSweep, tmp_path: Path
) -> None:
    sweep = make_sweep(tmp_path / "sweep", begun=1)
    with sweep:
        app = watching(sweep.path)
        async with app.run_test(size=WIDE) as pilot:
            await settle(pilot)
            assert "2 Mini-batch 32" in text_of(app)
            assert app.note_texts == set()
            make_run(sweep.path / "mini-batch-32", names=("Mini-batch 32",), epochs=9)
            await settle(pilot)
            assert app.main.viewer.store.states[1].tally.state is State.FINISHED


async def test_results_of_many_variants_fit_on_a_small_screen_also_after_a_resize(
    make_run: MakeRun, tmp_path: Path
) -> None:
    for place in range(24):
        make_run(tmp_path / "runs" / f"run-{place:02}", names=("SGD",), epochs=2)
    app = watching(tmp_path / "runs")
    async with app.run_test(size=(140, 50)) as pilot:
        await settle(pilot)
        assert "24 run-23" in text_of(app)
        await pilot.resize_terminal(*NARROW)
        await settle(pilot)
        shown = text_of(app)
        assert re.search(r"… and \d+ more", shown)
        assert "Their losses on all data lie" in shown
        assert row(app, "gdtui").startswith(" gdtui · 24 runs")
        assert max(map(len, shown.split("\n"))) == NARROW[0]
