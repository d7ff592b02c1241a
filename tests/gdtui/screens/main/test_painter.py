"""When the screen is painted: as little as possible, as soon as needed."""

import asyncio
import dataclasses
import time
from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
from app_bench import WIDE, Bench, see, settle
from shown import ObservedApp

from gdtui.app import GdtuiApp
from gdtui.chart.widget.chart import Chart
from gdtui.terminal.budget import DrawingBudget, Thrift

FLOOD, FEW = 25, 1
"""Epochs of 200 batches in one read."""


async def test_until_the_first_losses_only_news_is_painted_and_at_once(
    bench: Bench, painted: list[bool]
) -> None:
    app = ObservedApp(bench.run, bench.controls, fps=0.001)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        before = len(painted)
        await asyncio.sleep(0.3)
        assert len(painted) == before
        bench.begin()
        for name in bench.names:
            bench.train(name, [0.625] * 10)
        await see(pilot, "loss 0.625")


@pytest.mark.parametrize(
    ("epochs", "is_spent", "written"),
    [
        (FLOOD, True, [True, False, True]),
        (FLOOD, False, [True, True, True]),
        (FEW, True, [True, True, True]),
    ],
)
async def test_figures_are_rarer_in_a_flood_that_takes_too_much_time(
    epochs: int,
    is_spent: bool,
    written: list[bool],
    bench: Bench,
    painted: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = ObservedApp(bench.run, bench.controls, fps=0.001)
    app.main.context = dataclasses.replace(app.main.context, budget=budget_of(is_spent))
    async with app.run_test(size=WIDE) as pilot:
        bench.begin()
        await settle(pilot)
        for epoch in range(epochs):
            bench.train("SGD", np.full(200, 0.5), batch=1 + 200 * epoch, epoch=1 + epoch)
        app.main.viewer.read()
        painted.clear()
        later = time.monotonic() + 10
        for at in (later, later + 0.6, later + 2.1):
            with monkeypatch.context() as patch:
                patch.setattr("gdtui.screens.main.live.time.monotonic", lambda at=at: at)
                app.main.tick(reads=False)
        assert painted == written


async def test_losses_are_drawn_in_the_frame_that_reads_them(bench: Bench) -> None:
    app = ObservedApp(bench.run, bench.controls, fps=0.001)
    async with app.run_test(size=WIDE) as pilot:
        bench.begin()
        bench.train("SGD", np.full(100, 0.5))
        await settle(pilot)
        app.main.tick()
        app.main.tick()
        chart = app.query_one("#overlay", Chart)
        before = [chart.render_line(y).text for y in range(chart.size.height)]
        bench.train("SGD", np.full(100, 0.5), batch=101)
        app.main.tick()
        assert [chart.render_line(y).text for y in range(chart.size.height)] != before


async def test_the_axes_follow_the_last_losses_before_a_stall(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is determined again while no record comes, but for the ranges that are due."""
    app, highs, later = ObservedApp(bench.run, bench.controls, fps=0.001), [], time.monotonic() + 10
    async with app.run_test(size=WIDE) as pilot:
        bench.begin()
        bench.train("SGD", np.full(100, 0.5))
        await settle(pilot)
        for seconds in (0.0, 0.1, 1.3, 2.2, 2.3):
            if seconds == 0.0:
                bench.train("SGD", np.full(50, 0.5), batch=101)
            if seconds == 0.1:
                bench.train("SGD", np.full(40, 3.0), batch=151)
            with monkeypatch.context() as patch:
                patch.setattr("time.monotonic", lambda at=later + seconds: at)
                app.main.tick()
            y = app.query_one("#overlay", Chart).y
            highs.append(y.high if y else 0.0)
    assert highs[0] == highs[1] == highs[2] < highs[3] == highs[4]


def test_only_on_a_terminal_is_there_a_budget(bench: Bench) -> None:
    """Pictures that are recorded must not depend on the machine."""
    assert GdtuiApp(bench.run, bench.controls).main.context.budget is not None
    assert ObservedApp(bench.run, bench.controls).main.context.budget is None


def budget_of(is_spent: bool) -> DrawingBudget:
    """One on a clock that stands still, while the process works or does not."""
    used: Callable[[], float] = count().__next__ if is_spent else lambda: 0.0
    budget = DrawingBudget(0.1, lambda: 0.0, used)
    asked = [budget.thrift(Thrift.MOST) for _ in Thrift]
    assert asked[-1] is (Thrift.MOST if is_spent else Thrift.NONE)
    return budget
