"""u, accumulate instead: same effective batch from smaller ones, by choice or out of memory."""

from pathlib import Path

import pytest
from app_bench import NARROW, WIDE, Bench, changed, see, settle, state
from msgspec.structs import replace
from shown import text_of

from engine.log.commands import Change
from engine.log.records import State
from engine.settings import FULL, BatchSize, VariantSettings

SAID = "out of memory with 64 samples at once: back to a batch of 16, which worked"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path / "run")
    bench.begin()
    return bench


def wanted(bench: Bench, name: str) -> tuple[BatchSize, int]:
    """Batch size and accumulation of what was told last."""
    command = bench.controls.last(Change)[name]
    assert isinstance(command, Change)
    return command.settings.batch_size, command.settings.accumulation_steps


async def test_it_halves_the_batch_and_doubles_the_accumulation_and_shows_that_as_pending(
    bench: Bench,
) -> None:
    batch_gd, mini, sgd = bench.names
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("u")
        await settle(pilot)
        assert wanted(bench, mini) == (32, 2)
        assert wanted(bench, batch_gd) == (FULL, 2)
        assert sgd not in bench.controls.last(Change)
        assert "batch 64→32… · accum ×1→×2…" in text_of(app)
        await see(pilot, "SGD: the batch is 1 already")
        bench.write(mini, changed(VariantSettings(batch_size=32, accumulation_steps=2), 2))
        await settle(pilot)
        assert "batch 32 [ ] · lr 0.01 , . · accum ×2 A a" in text_of(app)
        await pilot.press("2", "u")
        assert wanted(bench, mini) == (16, 4)


async def test_it_goes_on_from_what_is_pending(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        await pilot.press("2", "u", "u")
        assert wanted(bench, bench.names[1]) == (16, 4)


async def test_before_the_data_are_there_it_waits(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("2", "u")
        await see(pilot, "its data are still being loaded")
        assert not bench.controls.told


async def test_who_only_watches_changes_nothing(bench: Bench) -> None:
    app = bench.app(watching=True)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("u")
        await see(pilot, "only watching")


# --- After memory ran out -------------------------------------------------------------------------


async def test_after_memory_ran_out_it_is_offered_and_leads_to_what_was_wanted(
    bench: Bench,
) -> None:
    mini = bench.names[1]
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        bench.write(mini, changed(VariantSettings(batch_size=16), 0, note=SAID))
        await settle(pilot)
        await see(pilot, "u accumulates 64")
        await pilot.press("2", "u")
        assert wanted(bench, mini) == (16, 4)
        await pilot.press("u")
        assert wanted(bench, mini) == (8, 8), "what is pending is halved"


async def test_other_settings_end_the_offer(bench: Bench) -> None:
    mini = bench.names[1]
    bench.write(mini, changed(VariantSettings(batch_size=16), 0, note=SAID))
    bench.write(mini, changed(VariantSettings(batch_size=16, lr=0.1), 1))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("2", "u")
        assert wanted(bench, mini) == (8, 2)


async def test_what_was_accumulated_by_itself_offers_nothing(bench: Bench) -> None:
    mini = bench.names[1]
    settings = VariantSettings(batch_size=32, accumulation_steps=2)
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        bench.write(
            mini,
            changed(settings, 0, note="out of memory: batches of 32, the effective batch stays 64"),
        )
        await settle(pilot)
        await see(pilot, "out of memory: batches of 32")
        assert "u accumulates" not in text_of(app)


async def test_with_no_worker_left_it_is_kept_for_the_restart(bench: Bench) -> None:
    mini = bench.names[1]
    bench.write(mini, replace(state(State.OUT_OF_MEMORY, 20.0), detail="no smaller batch is left"))
    app = bench.app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("2", "u")
        await see(pilot, "kept for the restart (r)")
        assert app.main.viewer.store.variants[mini].wanted.accumulation_steps == 2
