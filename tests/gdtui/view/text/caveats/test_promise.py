"""The plain loop's promise of equal losses, where that is so and where it is not."""

from pathlib import Path

import numpy as np
import pytest
from app_bench import WIDE, Bench, changed, settle
from msgspec.structs import replace
from shown import text_of

from engine.log.records import Started
from engine.settings import RunSettings, Variant, VariantSettings
from gdtui.state.store import Store
from gdtui.view.text.caveats import promise

SETTINGS = VariantSettings(batch_size=64)


def reasons(device: str = "cpu", *, settings: VariantSettings = SETTINGS, **run: object) -> str:
    """The reasons against equal losses, of a variant that has just begun."""
    of = RunSettings(variants=(Variant(name="a", settings=settings),), **run)
    store = Store(of)
    store.add(
        "a",
        Started(
            generation=1, settings=settings, n=2000, model="", parameters=1, device=device,
            threads=1, epochs=of.epochs, pace=None, micro_batch=of.micro_batch,
        ),
    )  # fmt: skip
    one = store.states[0]
    found = " ".join(promise.differences(one, of))
    assert promise.heading(one, of) == (promise.NOT_THE_SAME if found else promise.SAME)
    return found


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, ""),
        ({"micro_batch": 16}, "pieces of at most 16 samples"),
        ({"micro_batch": 64}, ""),  # whole batches
        ({"device": "cuda:0 H100"}, "on cuda:0 H100, parallel sums"),
        ({"problem": "mine.py:make"}, "random transforms"),
        ({"settings": replace(SETTINGS, precision="bf16")}, "bf16 rounds coarsely"),
    ],
)
def test_it_holds_unless_there_is_a_reason(told: dict[str, object], said: str) -> None:
    found = reasons(**told)  # type: ignore[arg-type]
    assert said in found
    assert bool(said) == bool(found)


async def test_after_a_change_in_mid_run_the_screen_does_not_promise_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    name = bench.names[1]
    bench.train(name, np.linspace(0.8, 0.5, 50))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("2", "k")
        await pilot.pause()
        assert "The same losses, to rounding" in text_of(app)
        await pilot.press("escape")
        bench.write(name, changed(replace(SETTINGS, batch_size=128), 1))
        await settle(pilot)
        await pilot.press("k")
        await pilot.pause()
        assert "The same losses, to rounding" not in text_of(app)
        assert "the settings changed while it trained (batch 64→128)" in text_of(app)
