"""backspace and o: settings of before, sent as ordinary commands and said in one line."""

import pytest
from app_bench import NARROW, WIDE, Bench, see, settle, state

from engine.log.commands import Change, Restart
from engine.log.records import State, WorkerDied
from engine.settings import LrScaling


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.begin()
    return bench


async def test_backspace_puts_the_previous_settings_in_force(bench: Bench) -> None:
    mini = bench.names[1]
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("2", "left_square_bracket", "full_stop", "0", "backspace")
        await see(pilot, "undone: Mini-batch: lr 0.02 → 0.01")
        await pilot.press("backspace")
        await see(pilot, "undone: Mini-batch: batch 32 → 64")
        command = bench.controls.last(Change)[mini]
        assert isinstance(command, Change)
        assert command.settings == bench.run.info.settings.variants[1].settings
        assert not bench.controls.last(Restart)
        await pilot.press("backspace")
        await see(pilot, "nothing to undo")


async def test_what_restarted_all_is_undone_by_a_restart(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("S", "backspace")
        await see(pilot, "undone: scaling linear → none; restarted")
        told = bench.controls.last(Restart)
        assert set(told) == set(bench.names)
        for command in told.values():
            assert isinstance(command, Restart)
            assert command.settings.lr_scaling is LrScaling.NONE
        assert not bench.controls.last(Change)


@pytest.mark.parametrize(("pressed", "kind"), [
    (["right_square_bracket", "m"], Change), (["s"], Change), (["S", "comma"], Restart),
])  # fmt: skip
async def test_o_leads_back_to_the_start_and_can_be_undone(
    bench: Bench, pressed: list[str], kind: type[Change | Restart]
) -> None:
    start = {each.name: each.settings for each in bench.run.info.settings.variants}
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("o")
        await see(pilot, "the settings are those of the start already")
        await pilot.press(*pressed, "o")
        await see(pilot, "as at the start: ")
        assert {one.tally.name: one.wanted for one in app.main.viewer.store.states} == start
        name, command = bench.controls.told[-1]
        assert isinstance(command, kind)
        assert command.settings == start[name]
        await pilot.press("backspace")
        await see(pilot, "undone: ")
        assert app.main.viewer.store.states[2].wanted != start[bench.names[2]]


async def test_a_change_kept_for_the_restart_is_undone_without_a_worker(bench: Bench) -> None:
    sgd = bench.names[2]
    bench.controls.log.append(WorkerDied(variant=sgd, wall_time=31.0, detail="has died"))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("3", "right_square_bracket", "backspace")
        assert not bench.controls.told
        assert app.main.viewer.store.variants[sgd].wanted.batch_size == 1


async def test_an_undone_restart_stays_paused_and_says_so(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        for name in bench.names:
            bench.write(name, state(State.PAUSED, 20.0))
        await settle(pilot)
        await pilot.press("S", "backspace")
        await see(pilot, "still paused: space goes on")


@pytest.mark.parametrize("key", ["backspace", "o"])
async def test_who_only_watches_undoes_nothing(bench: Bench, key: str) -> None:
    app = bench.app(watching=True)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press(key)
        await see(pilot, "only watching")
