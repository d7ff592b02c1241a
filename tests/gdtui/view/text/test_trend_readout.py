"""The crosshair on the trends reads out the measurement nearest to it."""

from pathlib import Path

import numpy as np
import pytest
from app_bench import NARROW, WIDE, Bench, settle
from shown import text_of

from engine.log.measurements import NoiseScale, Sharpness
from engine.log.records import Measured


def measured(updates: int, noise: float, sharpness: float) -> Measured:
    return Measured(
        generation=1, epoch=1, updates=updates, samples=updates * 10, seconds=updates / 100,
        effective_batch=64, lr=0.01, edge=200.0, cost=0.01,
        noise=NoiseScale(value=noise, low=noise * 0.75, high=noise * 1.5, trace=noise,
                         gradient_squared=1, samples=100),
        sharpness=Sharpness(value=sharpness, error=0.0, products=9, samples=2000),
    )  # fmt: skip


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_it_is_shown_while_there_is_a_crosshair(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    name = bench.names[1]
    bench.train(name, np.linspace(0.8, 0.5, 100))
    bench.write(name, measured(20, 40.0, 3.0), measured(80, 60.0, 5.0))
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("V")
        await pilot.pause()
        assert "λ 3.00" not in text_of(app)
        for at, sharp, noise in ((250.0, "λ 3.00", "B 40.0 (30–60)"), (700.0, "λ 5.00", "B 60")):
            app.main.viewer.cursor = at
            app.screen.draw()  # type: ignore[attr-defined]
            await pilot.pause()
            app.screen.draw()  # type: ignore[attr-defined]
            await pilot.pause()
            line = next(row for row in text_of(app).splitlines() if sharp in row)
            assert name in line
            assert noise in line
            assert "2/lr 200" in line
        if size == WIDE:
            assert "measured at 800 samples" in line
            assert "batch 10" in line  # of the log
        app.main.viewer.cursor = None
        app.screen.draw()  # type: ignore[attr-defined]
        await pilot.pause()
        assert "λ 5.00" not in text_of(app)
