"""Thousands of keys at once: each counts, and the newest state is what is painted."""

import asyncio

import pytest
from app_bench import WIDE, Bench, settle
from shown import ObservedApp, text_of
from textual.events import Key
from textual.pilot import Pilot

from engine.log.commands import Change
from gdtui.app import GdtuiApp

NAMES = {"]": "right_square_bracket", "[": "left_square_bracket", ".": "full_stop", ",": "comma"}


async def flood(pilot: Pilot[None], app: ObservedApp, keys: str) -> None:
    """Press all of these before any is obeyed, and wait until all are."""
    for key in keys:
        app.post_message(Key(NAMES.get(key, key), key))
    app.post_message(Key("question_mark", "?"))
    while len(app.screen_stack) == 1:
        await asyncio.sleep(0.01)  # a pause would wait for the keys, and give up on a slow machine
    await pilot.press("escape")
    await settle(pilot)


async def test_steps_keep_their_sum_though_few_are_painted(
    bench: Bench, painted: list[bool]
) -> None:
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        painted.clear()
        await flood(pilot, app, "2" + "[]" * 200 + "." * 3 + "]" * 2)
        mini = bench.controls.last(Change)["Mini-batch"]
        assert isinstance(mini, Change)
        assert (mini.settings.batch_size, mini.settings.lr) == (256, 0.1)
        assert "batch 64→256…" in text_of(app)
        assert len(painted) < 200


async def test_notes_of_a_flood_are_the_newest(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[str] = []
    monkeypatch.setattr(GdtuiApp, "notify", lambda app, note, **_: noted.append(note))
    bench.begin()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await flood(pilot, app, "1" + "]" * 200 + "3" + "[" * 200)
        while not noted[-1].endswith("the batch is 1 already"):
            await pilot.pause(0.05)
        assert len(noted) < 200
        assert not bench.controls.told


async def test_a_flood_of_views_ends_at_the_last(bench: Bench, painted: list[bool]) -> None:
    bench.begin()
    bench.train(bench.names[2], [0.5] * 50)
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        painted.clear()
        await flood(pilot, app, "x" * 301)
        assert "updates ─╯" in text_of(app)
        assert len(painted) < 300
