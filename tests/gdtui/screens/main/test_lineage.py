"""R, F, N and D: variants that go back to a batch, begin there, come and go."""

import pytest
from app_bench import NARROW, WIDE, Bench, N, changed, see, settle, state
from msgspec.structs import replace
from shown import text_of

from engine.log.commands import Change, Restart, Rewind
from engine.log.format import CHECKPOINT_SUFFIX, CHECKPOINTS
from engine.log.records import Point, Started, State
from gdtui.screens.main.panels import PANELS
from gdtui.widgets.variant import VariantPanel


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.begin()
    for name in bench.names:
        bench.train(name, [0.8] * 100)
    return bench


def keep(bench: Bench, name: str, batches: int) -> None:
    """A checkpoint of the variant, as far as its file's name tells."""
    folder = bench.run.path / CHECKPOINTS
    folder.mkdir(exist_ok=True)
    stem = bench.run.variant_log(name).stem
    (folder / f"{stem}.1-{batches}{CHECKPOINT_SUFFIX}").touch()


async def test_r_rewinds_the_selected_to_the_crosshair_which_is_then_hidden(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("2", "R")
        await see(pilot, "put the crosshair on a batch first, with h and l or the mouse; then R")
        assert not bench.controls.told
        await pilot.press("h")
        await see(pilot, "R rewind here  F fork here")
        found = app.main.viewer.under_cursor(app.main.viewer.chosen[0])
        assert found is not None
        assert 1 < found.batch <= 100
        await pilot.press("R")
        await see(pilot, f"rewinding to batch {found.batch}; backspace undoes")
        command = bench.controls.last(Rewind)[bench.names[1]]
        assert isinstance(command, Rewind)
        assert command.batches == found.batch
        assert command.settings == bench.run.info.settings.variants[1].settings
        await see(pilot, "rewinding…")
        assert app.main.viewer.cursor is None
        assert list(bench.controls.last(Rewind)) == [bench.names[1]]


@pytest.mark.parametrize(
    ("size", "words"), [(WIDE, "rewinding: 12,300 of 41,000 batches"), (NARROW, "back 30%")]
)
async def test_the_way_back_is_told_as_the_state(
    bench: Bench, size: tuple[int, int], words: str
) -> None:
    bench.write(
        bench.names[0],
        state(State.STARTING, 12.0, "rewinding: 12,300 of 41,000 batches"),
    )
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert words in text_of(app)


async def test_f_forks_one_variant_and_selects_the_new_one(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("h", "H", "F")
        await see(pilot, "select one variant first, by its number: F acts on one")
        await pilot.press("2", "h", "F")
        await settle(pilot)
        (point,) = bench.controls.added
        assert point is not None
        assert (point.variant, point.generation) == (bench.names[1], 1)
        assert 0 < point.batches <= 100
        assert len(app.main.viewer.store.states) == 4
        assert app.main.viewer.view.selected == 3
        await see(pilot, "▸ 4 Mini-batch 2")


async def test_n_adds_variants_until_each_has_a_line_and_d_removes_them(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        for place in range(4, 7):
            await pilot.press("2", "N")
            await settle(pilot)
            await settle(pilot)
            assert app.main.viewer.view.selected == place - 1
            shown = [panel for panel in app.main.query(VariantPanel) if panel.is_on_screen]
            assert len(shown) == (place if place <= PANELS else 0)
        await see(pilot, "▸6 Mini-batch 4")
        assert bench.controls.added == [None] * 3
        for place in (6, 5):
            await pilot.press(str(place), "D")
            await see(pilot, "D again removes it; its log stays")
            await pilot.press("D")
            await settle(pilot)
            assert len(app.main.viewer.store.states) == place - 1
        await settle(pilot)
        assert sum(panel.is_on_screen for panel in app.main.query(VariantPanel)) == 4
        assert app.main.viewer.view.selected is None


async def test_d_needs_one_variant_and_is_forgotten_with_another(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("D")
        await see(pilot, "select the variant to remove first")
        await pilot.press("1", "D", "2", "D")
        await see(pilot, "remove Mini-batch? D again removes it")
        assert len(app.main.viewer.store.states) == 3


async def test_who_only_watches_sees_what_became_of_variants_and_cannot_do_it(bench: Bench) -> None:
    bench.controls.fork(
        bench.run.info.settings.variants[1].settings, Point(variant=bench.names[1], batches=50)
    )
    app = bench.app(watching=True)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        assert len(app.main.viewer.store.states) == 4
        for key in "RFND":
            await pilot.press("h", key)
            await see(pilot, f"only watching: {key} needs gdtui attach, or gdtui resume")
            app.clear_notifications()
        assert not bench.controls.told


# --- Undo -----------------------------------------------------------------------------------------


async def test_undo_of_a_change_takes_the_weights_back_where_they_are_kept(bench: Bench) -> None:
    mini = bench.names[1]
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("2", "right_square_bracket")
        (command,) = bench.controls.last(Change).values()
        assert isinstance(command, Change)
        bench.write(mini, changed(command.settings, command.id, batch=101))
        bench.train(mini, [0.7] * 20, batch=101)
        keep(bench, mini, 100)
        await settle(pilot)
        await pilot.press("backspace")
        await see(pilot, "undone: Mini-batch: batch 128 → 64, from batch 100")
        back = bench.controls.last(Rewind)[mini]
        assert isinstance(back, Rewind)
        assert (back.generation, back.batches) == (1, 100)
        assert back.settings.batch_size == 64


@pytest.mark.parametrize(("pressed", "kind"), [(["h", "R"], Rewind), (["r"], Restart)])
async def test_undo_of_a_rewind_or_restart_brings_back_the_abandoned_future(
    bench: Bench, pressed: list[str], kind: type[Rewind | Restart]
) -> None:
    mini = bench.names[1]
    keep(bench, mini, 90)
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("2", *pressed)
        (command,) = bench.controls.last(kind).values()
        first = bench.run.info.settings.variants[1].settings
        bench.write(
            mini,
            Started(generation=2, settings=first, n=N, model="m", parameters=1, device="cpu",
                    threads=1, epochs=20, pace=1.0, command=command.id),
        )  # fmt: skip
        bench.train(mini, [0.7] * 20, generation=2)
        await settle(pilot)
        await pilot.press("backspace")
        await see(pilot, "undone: goes on from batch 100")
        back = bench.controls.last(Rewind)[mini]
        assert isinstance(back, Rewind)
        assert (back.generation, back.batches) == (1, 100)


async def test_without_weights_of_then_undo_goes_on_from_here(bench: Bench) -> None:
    mini = bench.names[1]
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("2", "right_square_bracket")
        (command,) = bench.controls.last(Change).values()
        assert isinstance(command, Change)
        bench.write(mini, changed(replace(command.settings), command.id, batch=101))
        keep(bench, mini, 110)  # later than the change
        await settle(pilot)
        await pilot.press("backspace")
        await see(pilot, "undone: Mini-batch: batch 128 → 64")
        assert not bench.controls.last(Rewind)
        assert not bench.controls.last(Restart)
