"""The app on a run that a test writes: keys become commands, at once shown as pending."""

import pytest
from app_bench import NARROW, WIDE, Bench, changed, see, settle, state
from shown import text_of

from engine.log.commands import Change, Extend, Pause, Restart, Resume, SetPace, StepOnce
from engine.log.notices import Notice, NoticeKind
from engine.log.records import State, WorkerDied
from engine.settings import FULL, LrScaling, VariantSettings
from gdtui.keys import table as keys
from gdtui.screens.pages.help import content
from gdtui.theme import THEMES, colours


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
        assert "batch 128 [ ] · lr 0.01 , ." in text
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


@pytest.mark.parametrize("key", ["r", "S"])
async def test_a_restart_while_paused_says_that_it_waits(bench: Bench, key: str) -> None:
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        assert app.main.controller.restart(app.main.viewer.store.states) == []
        for name in bench.names:
            bench.write(name, state(State.PAUSED, 20.0))
        await settle(pilot)
        await pilot.press(key)
        await see(pilot, "still paused: space goes on")


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
        one = app.main.viewer.store.variants[name]
        assert one.ghost is not None
        assert len(one.ghost.history) == 100
        assert one.tally.batches == 0
        assert "restarting…" not in text_of(app)


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
        assert app.main.viewer.view.log
        await pilot.press("x", "y")
        await settle(pilot)
        assert " samples ─╯" in text_of(app)


async def test_a_change_for_a_dead_worker_waits_for_its_restart(bench: Bench) -> None:
    bench.begin()
    sgd = bench.names[2]
    bench.controls.log.append(WorkerDied(variant=sgd, wall_time=31.0, detail="has died"))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("3", "right_square_bracket")
        assert not bench.controls.told
        await pilot.press("r")
        command = bench.controls.last(Restart)[sgd]
        assert isinstance(command, Restart)
        assert command.settings.batch_size == 2


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
            assert f" {entry.keys} " in shown
        bench.train(bench.names[0], [0.8])
        await settle(pilot)
        assert app.main.viewer.store.variants[bench.names[0]].tally.batches == 1
        await pilot.press("question_mark")
        await pilot.pause()
        assert "Settings of the selected" not in text_of(app)


async def test_every_key_of_the_table_has_an_action(bench: Bench) -> None:
    app = bench.app()
    for entry in keys.TABLE:
        for stroke in entry.strokes:
            owner, _, action = stroke.action.partition("(")[0].rpartition(".")
            assert hasattr(app if owner == "app" else app.main, f"action_{action}"), stroke


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
        assert "m  Momentum: 0 or 0.9" in text_of(app), "the palette teaches the key"
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


async def test_once_its_host_is_gone_keys_say_so_and_the_footer_offers_none(bench: Bench) -> None:
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        assert "batch 64 [ ]" in text_of(app)
        gone = Notice(kind=NoticeKind.HOST_GONE, variant=None, text="the host is gone")
        bench.controls.notices.append(gone)
        await settle(pilot)
        await pilot.press("escape", "right_square_bracket")
        await see(pilot, "the host is gone")
        assert bench.controls.told == []
        await pilot.press("escape")
        await settle(pilot)
        assert "[ ]" not in text_of(app)


async def test_a_run_that_was_cut_short_shows_its_figures_and_goes_on_to_its_end(
    bench: Bench,
) -> None:
    bench.begin()
    for name in bench.names:
        bench.train(name, [0.7] * 50)
        bench.write(name, state(State.STOPPED, 20.0))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert text_of(app).count("loss 0.700") == 3
        await pilot.press("c")
        assert {command.epochs for command in bench.controls.last(Extend).values()} == {20}


async def test_the_theme_changes_by_key(bench: Bench) -> None:
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        seen = []
        for _ in THEMES:
            await pilot.press("t")
            seen.append(app.theme)
            assert app.main.viewer.view.colours == colours(app.current_theme)
        assert seen == ["gdtui-light", "gdtui-high-contrast", "gdtui-dark"]
