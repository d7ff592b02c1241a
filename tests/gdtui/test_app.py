"""The app on a run that a test writes: keys become commands, records become what is on screen."""

import subprocess
import sys
from pathlib import Path

import pytest
from textual.pilot import Pilot

from engine.messages import Change, Extend, Pause, Restart, Resume, SetPace, State, StepOnce, WorkerDied
from engine.notices import Notice, NoticeKind
from engine.settings import FULL, LrScaling, VariantSettings
from gdtui import keys
from gdtui.screens.help import content
from gdtui.theme import THEMES, colours

from .app_bench import Bench, changed, state, text_of

WIDE, NARROW = (160, 45), (80, 24)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "run")


async def settle(pilot: Pilot[None]) -> None:
    """Until what was written is on screen."""
    pilot.app.live.tick(figures=True)  # type: ignore[attr-defined]
    await pilot.pause()
    await pilot.pause()


async def see(pilot: Pilot[None], wanted: str) -> None:
    """Wait until the text is on screen: a note in the corner takes a few turns to come up."""
    for _ in range(100):
        if wanted in text_of(pilot.app):
            return
        await pilot.pause(0.02)
    assert wanted in text_of(pilot.app)


async def test_before_any_record_it_says_that_torch_is_imported(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert text_of(app).count("importing torch…") == 4
        for name in bench.names:
            bench.write(name, state(State.STARTING, 1.0, "loading synthetic"))
        await settle(pilot)
        assert text_of(app).count("loading synthetic…") == 4


@pytest.mark.parametrize("size", [WIDE, (120, 30), (100, 28), NARROW])
async def test_every_variant_is_on_screen_with_nothing_cut(bench: Bench, size: tuple[int, int]) -> None:
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


async def test_a_change_is_pending_until_the_log_confirms_it_and_then_a_mark(bench: Bench) -> None:
    bench.begin()
    name = bench.names[1]
    bench.train(name, [0.8] * 50)
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("2", "right_square_bracket")
        await pilot.pause()
        assert "batch 64→128…" in text_of(app)
        command = bench.controls.last(Change)[name]
        assert isinstance(command, Change)
        bench.write(name, changed(command.settings, command.id))
        bench.train(name, [0.7] * 50, batch=51)
        await settle(pilot)
        text = text_of(app)
        assert "batch 64→128…" not in text
        assert "batch 128 · lr 0.01" in text
        assert text.count("batch 64→128") == 2, "on the overlay and in the panel"


KEYS = [
    (["1", "left_square_bracket"], Change, ["Batch GD"], {"batch_size": 1024}),
    (["left_square_bracket", "left_square_bracket"], Change, ["Batch GD", "Mini-batch"], {}),
    (["3", "full_stop"], Change, ["SGD"], {"lr": 0.02}),
    (["comma"], Change, None, {"lr": 0.005}),
    (["2", "a", "a"], Change, ["Mini-batch"], {"accumulation_steps": 4}),
    (["m"], Change, None, {"momentum": 0.9}),
    (["s"], Change, None, {"lr_scaling": LrScaling.LINEAR}),
    (["2", "s"], Change, None, {"lr_scaling": LrScaling.LINEAR}),
    (["S"], Restart, None, {"lr_scaling": LrScaling.LINEAR}),
    (["S", "S"], Restart, None, {"lr_scaling": LrScaling.SQRT}),
    (["3", "r"], Restart, ["SGD"], {"batch_size": 1}),
    (["3", "right_square_bracket", "r"], Restart, ["SGD"], {"batch_size": 2}),
    (["1", "0", "r"], Restart, None, {}),
]


@pytest.mark.parametrize(("pressed", "kind", "whom", "settings"), KEYS)
async def test_keys_tell_the_selected_variants_what_to_train_with(
    bench: Bench,
    pressed: list[str],
    kind: type[Change | Restart],
    whom: list[str] | None,
    settings: dict[str, object],
) -> None:
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press(*pressed)
        told = bench.controls.last(kind)
        assert set(told) == set(whom or bench.names)
        for command in told.values():
            assert isinstance(command, Change | Restart)
            for field, value in settings.items():
                assert getattr(command.settings, field) == value


async def test_keys_that_act_on_all(bench: Bench) -> None:
    bench.begin()
    app = bench.app()
    controls = bench.controls
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("greater_than_sign")
        assert {c.pace for c in controls.last(SetPace).values() if isinstance(c, SetPace)} == {2.0}
        assert "2 epochs/s…" in text_of(app)
        await pilot.press("f")
        assert {c.pace for c in controls.last(SetPace).values() if isinstance(c, SetPace)} == {None}
        await pilot.press("f")
        assert {c.pace for c in controls.last(SetPace).values() if isinstance(c, SetPace)} == {2.0}
        await pilot.press("c")
        assert set(controls.last(Extend)) == set(bench.names)
        await pilot.press("2", "n")
        assert set(controls.last(StepOnce)) == {"Mini-batch"}


async def test_space_pauses_and_resumes(bench: Bench) -> None:
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("space")
        told = bench.controls.last(Pause)
        assert set(told) == set(bench.names)
        assert "pausing…" in text_of(app)
        for name, command in told.items():
            bench.write(name, state(State.PAUSED, 200.0, command=command.id))
        await settle(pilot)
        assert "pausing…" not in text_of(app)
        await pilot.press("space")
        assert set(bench.controls.last(Resume)) == set(bench.names)
        assert "resuming…" in text_of(app)


async def test_at_the_end_of_a_ladder_a_note_and_no_change(bench: Bench) -> None:
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("1", "right_square_bracket")
        await see(pilot, "the batch is full already")
        assert not bench.controls.told


async def test_a_restart_leaves_a_ghost_and_begins_anew(bench: Bench) -> None:
    bench.begin()
    name = bench.names[1]
    bench.train(name, [0.8] * 100)
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("2", "r")
        assert "restarting…" in text_of(app)
        bench.begin(2, command=bench.controls.last(Restart)[name].id, names=[name])
        await settle(pilot)
        one = app.live.store.variants[name]
        assert one.ghost is not None
        assert len(one.ghost.history) == 100
        assert one.tally.batches == 0
        assert "restarting…" not in text_of(app)


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
        assert "On all data they lie 0.200 apart, Batch GD lowest" in text
        rows = [line.split() for line in text.splitlines() if " 200 " in line and " s " in line]
        assert [row[row.index("s") - 6] for row in rows] == ["0.300", "0.400", "0.500"], (
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


async def test_axes_by_key(bench: Bench) -> None:
    bench.begin()
    bench.train(bench.names[2], [0.8, 0.5, 0.25] * 20)
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert " samples ─╯" in text_of(app)
        await pilot.press("x")
        await settle(pilot)
        assert " updates ─╯" in text_of(app)
        await pilot.press("x", "y")
        await settle(pilot)
        assert " seconds of training, on shared cores ─╯" in text_of(app)
        assert app.live.view.log
        await pilot.press("x", "y")
        await settle(pilot)
        assert " samples ─╯" in text_of(app)


async def test_trouble_is_in_the_panel_of_whom_it_is_about(bench: Bench) -> None:
    bench.begin()
    full, mini, sgd = bench.names
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        bench.write(mini, state(State.DIVERGED, 30.0, "the loss is not finite"))
        bench.controls._log.append(WorkerDied(variant=sgd, wall_time=31.0, detail="was ended by SIGKILL"))
        where = bench.run.variant_log(full)
        bench.controls.notices = [
            Notice(kind=NoticeKind.LOG_BLOCKED, variant=full, text=f"cannot write {where}: no space"),
            Notice(kind=NoticeKind.DIED, variant=sgd, text="was ended by SIGKILL"),
        ]
        await settle(pilot)
        text = text_of(app)
        assert "cannot write 1-batch-gd.gdlog: no space (space)" in text
        assert "diverged: the loss is not finite" in text
        assert "was ended by SIGKILL; r starts a new one" in text
        await pilot.press("space")
        assert set(bench.controls.last(Resume)) == set(bench.names), "nobody trains: space goes on"


async def test_a_change_for_a_dead_worker_waits_for_its_restart(bench: Bench) -> None:
    bench.begin()
    sgd = bench.names[2]
    bench.controls._log.append(WorkerDied(variant=sgd, wall_time=31.0, detail="has died"))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("3", "right_square_bracket")
        assert not bench.controls.told
        await pilot.press("r")
        command = bench.controls.last(Restart)[sgd]
        assert isinstance(command, Restart)
        assert command.settings.batch_size == 2


async def test_a_loss_far_above_the_start_is_called_diverging(bench: Bench) -> None:
    bench.begin()
    bench.train(bench.names[2], [0.8, 1e6, 1e6])
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "─ diverging ─" in text_of(app)


async def test_exact_values_are_typed_and_judged(bench: Bench) -> None:
    bench.begin()
    app = bench.app()
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        await pilot.press("2", "enter")
        await pilot.pause()
        await pilot.press(*"x", "enter")
        await pilot.pause()
        assert "a whole number from 1, or full" in text_of(app)
        assert not bench.controls.told
        await pilot.press("backspace", *"full", "enter")
        await pilot.pause()
        assert bench.controls.last(Change).keys() == {"Mini-batch"}
        command = bench.controls.last(Change)["Mini-batch"]
        assert command == Change(id=command.id, settings=VariantSettings(batch_size=FULL))


async def test_the_help_lists_every_key_and_training_goes_on_below(bench: Bench) -> None:
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        assert "Settings of the selected" in text_of(app)
        shown = content().plain
        for entry in keys.TABLE:
            assert f"  {entry.keys} " in shown
        bench.train(bench.names[0], [0.8])
        await settle(pilot)
        assert app.live.store.variants[bench.names[0]].tally.batches == 1
        await pilot.press("question_mark")
        await pilot.pause()
        assert "Settings of the selected" not in text_of(app)


async def test_every_key_of_the_table_has_an_action(bench: Bench) -> None:
    app = bench.app()
    for entry in keys.TABLE:
        for stroke in entry.strokes:
            assert hasattr(app, f"action_{stroke.action.split('(')[0]}"), stroke


async def test_the_palette_finds_a_command_by_name(bench: Bench) -> None:
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+p")
        await pilot.press(*"momentum")
        for _ in range(20):
            await pilot.pause(0.05)
            if "Momentum: 0 or 0.9" in text_of(app):
                break
        await pilot.press("down", "enter")
        await settle(pilot)
        assert set(bench.controls.last(Change)) == set(bench.names)


@pytest.mark.parametrize(("key", "status"), [("q", 0), ("ctrl+c", 130)])
async def test_quitting(bench: Bench, key: str, status: int) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press(key)
        await pilot.pause()
    assert app.return_code == status


async def test_only_watching_says_so(bench: Bench) -> None:
    bench.begin()
    app = bench.app(watching=True)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("space", "S", "right_square_bracket", "enter")
        await see(pilot, "only watching")


async def test_the_theme_changes_by_key(bench: Bench) -> None:
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        seen = []
        for _ in THEMES:
            await pilot.press("t")
            seen.append(app.theme)
            assert app.live.view.colours == colours(app.current_theme)
        assert seen == ["gdtui-light", "gdtui-high-contrast", "gdtui-dark"]


@pytest.mark.parametrize(
    ("imported", "module"),
    [
        *(("gdtui.app", module) for module in ("torch", "numpy", "plotext", "multiprocessing")),
        # multiprocessing starts the import of torch, first of all
        *(("gdtui.live", module) for module in ("torch", "numpy", "plotext", "textual")),
    ],
)
def test_importing_loads_nothing_that_the_first_frame_must_wait_for(imported: str, module: str) -> None:
    code = f"import sys, {imported}; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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
