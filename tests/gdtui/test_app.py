"""The app on a run that a test writes: records become what is on screen."""

import gc
import subprocess
import sys
import weakref
from pathlib import Path

import pytest
from app_bench import NARROW, WIDE, Bench, see, settle, state
from shown import text_of
from textual._compositor import LayoutUpdate
from textual.events import Resize

from engine.log.commands import Change, Restart, Resume
from engine.log.notices import Notice, NoticeKind
from engine.log.records import State, WorkerDied
from gdtui.app import GdtuiApp
from gdtui.theme import THEMES


async def test_before_any_record_one_line_says_that_torch_is_imported(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert text_of(app).count("importing torch…") == 1
        for name in bench.names:
            bench.write(name, state(State.STARTING, 1.0, "loading synthetic"))
        await settle(pilot)
        assert text_of(app).count("loading synthetic…") == 1
        bench.write(bench.names[2], state(State.FAILED, 2.0, "no data"))
        await settle(pilot)
        assert text_of(app).count("loading synthetic…") == 1
        assert text_of(app).count("failed: no data") == 2, "in the panel's chart, and its figures"


@pytest.mark.parametrize("size", [WIDE, (120, 30), (100, 28), NARROW])
async def test_every_variant_is_on_screen_with_nothing_cut(
    bench: Bench, size: tuple[int, int]
) -> None:
    bench.begin()
    for name in bench.names:
        bench.train(name, [0.8, 0.5])
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        text = text_of(app)
        for name in bench.names:
            assert name in text
        assert text.count("running") == 4
        assert "epoch  1/20" in text
        assert "? help  q quit" in text
        assert not any(bar.display for bar in app.screen.query("ScrollBar"))


@pytest.mark.parametrize("size", [(10, 3), (1, 1), (40, 12), (300, 100), (20, 50), (300, 8)])
async def test_no_size_is_too_small_or_too_large(bench: Bench, size: tuple[int, int]) -> None:
    bench.begin()
    bench.finish()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.resize_terminal(*size)
        await settle(pilot)
        await pilot.press("question_mark")
        await pilot.press("escape", "enter", "escape")
        await pilot.resize_terminal(*WIDE)
        await settle(pilot)
        assert app.is_running


async def test_nine_variants_get_a_line_each(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run", "512,256,128,64,32,16,8,4,2")
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        for name in bench.names:
            assert name in text_of(app)
        await pilot.press("9", "right_square_bracket")
        assert bench.controls.last(Change).keys() == {bench.names[8]}


async def test_the_results_come_up_at_the_end_and_keys_go_on_working(bench: Bench) -> None:
    bench.begin()
    app = bench.app()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("i")
        await see(pilot, "no results yet")
        bench.finish()
        await settle(pilot)
        text = text_of(app)
        assert "results" in text
        assert "Their losses on all data lie 0.200 apart, Batch GD lowest" in text
        rows = [line.split() for line in text.splitlines() if " 200 " in line and " s " in line]
        assert [row[row.index("s") - 5] for row in rows] == ["0.300", "0.400", "0.500"], (
            "one line each, uncut"
        )
        await pilot.press("escape")
        assert not app.query_one("#summary").display
        await pilot.press("i")
        assert app.query_one("#summary").display
        await pilot.press("S")
        assert set(bench.controls.last(Restart)) == set(bench.names)
        bench.begin(2, command=99)
        await settle(pilot)
        assert not app.query_one("#summary").display


async def test_trouble_is_in_the_panel_of_whom_it_is_about(bench: Bench) -> None:
    bench.begin()
    full, mini, sgd = bench.names
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        bench.write(full, state(State.DIVERGED, 30.0, "the loss is not finite"))
        bench.controls.log.append(
            WorkerDied(variant=sgd, wall_time=31.0, detail="was ended by SIGKILL")
        )
        where = bench.run.variant_log(mini)
        bench.controls.notices = [
            Notice(
                kind=NoticeKind.LOG_BLOCKED, variant=mini, text=f"cannot write {where}: no space"
            ),
            Notice(kind=NoticeKind.DIED, variant=sgd, text="was ended by SIGKILL"),
        ]
        await settle(pilot)
        text = text_of(app)
        assert text.splitlines()[0].rstrip().endswith(" · cannot write")
        assert "cannot write 2-mini-batch.gdlog: no space" in text
        assert "resume (space)" in text
        assert "diverged: the loss is not finite" in text
        assert "was ended by SIGKILL; r starts a new one" in text
        await pilot.press("space")
        assert set(bench.controls.last(Resume)) == set(bench.names), "nobody trains: space goes on"
        assert "starts a new one" in text_of(app)
        await pilot.press("r")
        await settle(pilot)
        assert "starts a new one" not in text_of(app)


async def test_a_loss_far_above_the_start_is_called_diverging(bench: Bench) -> None:
    bench.begin()
    bench.train(bench.names[2], [0.8, 1e6, 1e6])
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "─ diverging ─" in text_of(app)


@pytest.mark.parametrize(
    ("imported", "later"),
    [
        ("gdtui.app", {"torch", "numpy", "plotext", "multiprocessing"}),
        # multiprocessing starts the import of torch, first of all
        ("gdtui.cli.commands.train.run_app", {"torch", "numpy", "plotext", "textual"}),
    ],
)
def test_importing_loads_nothing_that_the_first_frame_must_wait_for(
    imported: str, later: set[str]
) -> None:
    code = f"import sys, {imported}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    modules = set(loaded.decode().split())
    assert imported in modules
    assert not later & modules


async def test_all_is_sent_again_after_a_resize_and_back(bench: Bench) -> None:
    """On a busy machine the app never sees the size in between, at which the terminal cut it."""
    bench.begin()
    app = bench.app(watching=True)
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        sent: list[object] = []
        app.listener = sent.append
        app.post_message(Resize(app.size, app.size))
        await settle(pilot)
    assert any(isinstance(update, LayoutUpdate) for update in sent)


async def test_a_closed_app_is_freed(bench: Bench) -> None:
    """The garbage collector ignores the first of a process; Textual keeps the one last shown."""
    closed = []
    for _ in range(3):
        app = bench.app()
        async with app.run_test(size=WIDE) as pilot:
            await settle(pilot)
            await app.workers.wait_for_complete()
        closed.append(weakref.ref(app))
        del app, pilot
    gc.collect()
    assert closed[1]() is None


async def test_no_color(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    bench.begin()
    bench.train(bench.names[2], [0.8, 0.5])
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("question_mark")
        await settle(pilot)
        assert "Settings of the selected" in text_of(app)


async def test_begun_in_a_theme_it_looks_as_if_switched_to_it(bench: Bench) -> None:
    """Before there is a screen Textual parses its styles once only, with the colours wanted."""
    told = []
    for begun in ("light", "dark"):
        app = GdtuiApp(bench.run, bench.controls, theme=begun)
        async with app.run_test() as pilot:
            await pilot.pause()
            app.theme = THEMES["light"].name
            await pilot.pause()
            told.append(
                [(each.background_colors, each.colors) for each in app.screen.walk_children()]
            )
    assert told[0] == told[1]
