"""What covers what on the screen."""

from pathlib import Path

import pytest

from gdtui.chart.widget import Chart

from .app_bench import Bench, text_of


@pytest.mark.parametrize("size", [(160, 45), (120, 30), (100, 28), (80, 24), (80, 12)])
async def test_notes_cover_nothing_but_the_overlay(tmp_path: Path, size: tuple[int, int]) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    for name in bench.names:
        bench.train(name, [0.8, 0.5] * 50)
    app = bench.app(watching=True)
    async with app.run_test(size=size, notifications=True) as pilot:
        app.live.tick(figures=True)
        await pilot.pause()
        before = text_of(app).split("\n")
        app.say(["Mini-batch: its log cannot be written: no space left on device; nothing is lost"], "error")
        app.say(["the batch is full: no change"])
        for _ in range(100):
            if "no change" in text_of(app):
                break
            await pilot.pause(0.02)
        region = app.screen.query_one("#overlay", Chart).region
        assert "no change" in text_of(app)
        after = text_of(app).split("\n")
        for y, (one, other) in enumerate(zip(before, after, strict=True)):
            if not region.y <= y < region.bottom:
                assert one == other
