"""Views by keys: smoothing, raw batches, ghosts. Nothing is sent to the run."""

from pathlib import Path

import numpy as np
import pytest
from app_bench import NARROW, WIDE, Bench, changed, evaluation, overlay, row, see, settle, state
from shown import text_of

from engine.log.commands import Restart
from engine.log.records import State
from engine.settings import VariantSettings
from gdtui.app import GdtuiApp
from gdtui.chart.widget.chart import Chart
from gdtui.theme import THEMES
from gdtui.widgets.variant import VariantPanel


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path / "run")
    bench.begin()
    return bench


def braille(app: GdtuiApp) -> int:
    """Cells with dots on the chart of all."""
    return sum("\u2801" <= character <= "\u28ff" for character in overlay(app))


# --- Smoothing ------------------------------------------------------------------------------------


async def test_the_smoothing_goes_up_its_ladder_in_the_title_and_in_the_figures(
    bench: Bench,
) -> None:
    sgd = bench.names[2]
    bench.train(sgd, np.linspace(1.0, 0.5, 200))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        told = []
        for window in ("¼ epoch", "1 epoch", "4 epochs"):
            assert f"loss · smoothed over {window} · ◆ on all data" in text_of(app)
            told.append(float(text_of(app).split("│ loss 0.")[-1].split()[0]))
            await pilot.press("w")
            await settle(pilot)
        assert "smoothed over ¼ epoch" in text_of(app)
        assert told == sorted(set(told)), (
            "the longer it remembers, the higher it is on a falling curve"
        )
        history = app.main.viewer.store.variants[sgd].current.history
        assert told[2] / 1000 == pytest.approx(history.smoothed_last(4.0), abs=1e-3)


async def test_the_smoothing_is_that_of_the_lines_of_a_narrow_screen_too(bench: Bench) -> None:
    bench.train(bench.names[2], np.linspace(1.0, 0.5, 200))
    app = bench.app()
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        before = row(app, "3 SGD")
        await pilot.press("w")
        await settle(pilot)
        assert row(app, "3 SGD") != before


async def test_raw_batches_and_back(bench: Bench) -> None:
    bench.train(bench.names[2], np.tile([1.0, 0.2], 800))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        before = overlay(app)
        await pilot.press("b")
        await settle(pilot)
        assert "loss · every batch · ◆ on all data" in text_of(app)
        assert overlay(app).count("⣿") > 2 * before.count("⣿"), (
            "every column of dots is full from the lowest to the highest batch"
        )
        depths = [series.depth for series in app.query_one("#overlay", Chart).picture.series]
        assert depths == sorted(depths), "the smallest batches, the noisiest, at the back"
        assert 0 < depths[0] < depths[-1]
        await pilot.press("b")
        await settle(pilot)
        assert overlay(app) == before


# --- Batches and updates --------------------------------------------------------------------------


async def test_under_accumulation_updates_and_batches_are_both_told(bench: Bench) -> None:
    bench.train(bench.names[1], [0.8] * 3072, steps=8)
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        told = next(part for part in row(app, "3,072 batches").split("│") if "batches" in part)
        assert "384 updates · 3,072 batches" in told
        assert "samples" not in told, "of that the x axis tells"
        await pilot.press("b")
        await settle(pilot)
        assert "loss · every batch, not update · ◆ on all data" in text_of(app)


# --- Ghosts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("watching", [False, True])
async def test_ghosts_are_cleared_and_brought_back_and_a_restart_leaves_a_new_one(
    bench: Bench, watching: bool
) -> None:
    sgd = bench.names[2]
    bench.train(sgd, [0.8, 0.5] * 50)
    bench.begin(2)
    app = bench.app(watching=watching)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        with_ghost = overlay(app)
        assert braille(app)
        await pilot.press("g")
        await settle(pilot)
        assert not braille(app)
        await pilot.press("g")
        await settle(pilot)
        assert overlay(app) == with_ghost
        await pilot.press("g")
        bench.train(sgd, [0.7, 0.4] * 50, generation=2)
        bench.begin(3)
        await settle(pilot)
        assert braille(app), "the ghost of generation 2"
        assert not bench.controls.last(Restart)


async def test_without_ghosts_it_says_where_they_come_from(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("g")
        await see(pilot, "there are no ghosts")


# --- Legend and epochs ----------------------------------------------------------------------------


async def test_the_legend_names_the_lines_and_tells_ghosts_apart(bench: Bench) -> None:
    bench.train(bench.names[2], [0.8, 0.5] * 50)
    app = bench.app()
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        assert "━ Batch GD  ━ Mini-batch  ━ SGD" in overlay(app).splitlines()[-1]
        assert "faint" not in overlay(app)
        bench.begin(2)
        await settle(pilot)
        assert "━ SGD  ┄ faint: before" in overlay(app).splitlines()[-1]
        await pilot.press("g")
        await settle(pilot)
        assert "faint" not in overlay(app)


async def test_the_legend_of_a_run_at_rest_follows_the_theme(bench: Bench) -> None:
    for name in bench.names:
        bench.train(name, [0.7, 0.5, 0.3])
        bench.write(name, state(State.FINISHED, 20.0))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        chart = app.main.query_one("#overlay", Chart)
        for _ in THEMES:
            await pilot.press("t")
            await settle(pilot)
            edge = (chart.background_colors[1] + chart.styles.border_bottom[1]).hex6
            assert edge.lower() in str(chart.border_subtitle).lower()


async def test_the_legend_stands_still_while_the_view_changes(bench: Bench) -> None:
    for name in bench.names:
        bench.train(name, [0.8, 0.5] * 50)
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        at = overlay(app).splitlines()[-1].index("━ Batch GD  ━ Mini-batch  ━ SGD")
        for key in ("b", "x", "y", "w", "t"):
            await pilot.press(key)
            await settle(pilot)
            assert overlay(app).splitlines()[-1].index("━ Batch GD  ━ Mini-batch  ━ SGD") == at


async def test_epochs_are_lines_while_they_are_few(bench: Bench) -> None:
    sgd = bench.names[2]
    bench.begin(epochs=5, generation=2)
    bench.train(sgd, np.full(900, 0.5), generation=2)  # 9,000 samples, of 10,000: 5 epochs
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "┊ epoch" in overlay(app)
        assert overlay(app).splitlines()[1].count("┊") == 5
        await pilot.press("x")  # updates: each variant has its own
        await settle(pilot)
        assert "┊" not in overlay(app)
        await pilot.press("x", "x")
        bench.train(sgd, np.full(3000, 0.5), batch=901, generation=2)
        await settle(pilot)
        assert "┊" not in overlay(app), "20 epochs are too many"


async def test_a_panel_knows_its_epochs_in_updates_and_seconds(bench: Bench) -> None:
    bench.finish()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("escape", "x")
        await settle(pilot)
        chart = list(app.query(VariantPanel))[2].chart
        for end in (200, 2.0):
            assert chart.picture.rules == (end,)
            assert "┊" in text_of(app).splitlines()[chart.region.y]
            await pilot.press("x")
            await settle(pilot)


async def test_where_samples_are_dropped_an_epoch_has_no_common_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "dropping", drop_last=True)
    bench.begin()
    bench.train(bench.names[2], np.full(900, 0.5))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "┊" not in overlay(app)


# --- Focus ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, (120, 30), NARROW])
async def test_the_selected_variant_alone_over_the_screen_and_back(
    bench: Bench, size: tuple[int, int]
) -> None:
    for name in bench.names:
        bench.train(name, [0.8, 0.5] * 50, steps=2)
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        before = overlay(app)
        await pilot.press("2", "z")
        await settle(pilot)
        text, height = text_of(app), app.query_one("#overlay").region.height
        assert "╭─ 2 Mini-batch · every batch" in text
        assert "━ Mini-batch  ━ smoothed" in overlay(app)
        assert height == size[1] - 6, "all but header, footer and four lines of its own"
        assert " batch 64 [ ] · lr 0.01 , ." in text
        for figure in ("running", "loss 0.6", "noise 0.1", "50 updates · 100 batches"):
            assert figure in text
        assert "Batch GD" not in text
        assert "SGD" not in text
        await pilot.press("3")
        await settle(pilot)
        assert "╭─ 3 SGD · every batch" in text_of(app)
        await pilot.press("0", "z")
        await settle(pilot)
        assert overlay(app) == before


async def test_the_chart_of_all_over_the_screen_has_a_line_a_variant_below(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("z")
        await settle(pilot)
        assert app.query_one("#overlay").region.height == 45 - 5
        for place, name in enumerate(bench.names, start=1):
            assert f" {place} {name} " in row(app, f"{place} {name}")
        assert not app.query_one("#panels").display
        await pilot.press("z")
        await settle(pilot)
        assert app.query_one("#panels").display


async def test_where_the_chart_of_all_fills_the_screen_it_says_so(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("z")
        await see(pilot, "the chart of all fills")


@pytest.mark.parametrize("size", [(1, 1), (12, 4), (40, 10), (300, 80)])
async def test_focus_stands_any_size(bench: Bench, size: tuple[int, int]) -> None:
    bench.train(bench.names[2], [0.8, 0.5] * 50)
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await pilot.press("3", "z", "w", "b", "y", "x", "g")
        await settle(pilot)
        await pilot.resize_terminal(*WIDE)
        await settle(pilot)
        assert "╭─ 3 SGD · every batch" in text_of(app)


async def test_focus_says_what_a_variant_does_before_its_first_loss(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("3", "z")
        await settle(pilot)
        assert "first batch…" in overlay(app)


async def test_changes_with_no_batch_between_them_are_one_mark(bench: Bench) -> None:
    name = bench.names[1]
    bench.train(name, [0.8] * 50)
    for size in (128, 256):
        bench.write(name, changed(VariantSettings(batch_size=size), 0))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "batch 64→256" in text_of(app)
        assert "64→128" not in text_of(app)
        bench.write(name, changed(VariantSettings(batch_size=64), 0))
        await settle(pilot)
        assert "→" not in text_of(app), "there and back is no change"


# --- Marks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "epochs", "mark"), [
    ((160, 45), 20, "◆"), ((80, 24), 20, "◆"), ((40, 24), 20, "•"), ((160, 45), 200, "◆"),
])  # fmt: skip
async def test_the_title_shows_the_marks_that_are_drawn(
    bench: Bench, size: tuple[int, int], epochs: int, mark: str
) -> None:
    bench.train(bench.names[0], np.linspace(1.0, 0.5, epochs * 200))
    bench.write(bench.names[0], *(evaluation(epoch) for epoch in range(1, epochs + 1)))
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        title, *inside = overlay(app).splitlines()
        assert f" {mark} " in title
        assert set("".join(inside)) & set("◆•") == {mark}
