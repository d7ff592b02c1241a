"""The tables of this run: intervals, old figures, contradicted words, the lesson's own result."""

import re
from pathlib import Path

import numpy as np
import pytest
from app_bench import NARROW, WIDE, Bench, evaluation, settle, state
from msgspec.structs import replace
from shown import text_of

from engine.log.measurements import NoiseScale
from engine.log.records import Chunk, Measured, State
from gdtui.lesson import tables
from gdtui.lesson.explain import explain, figure_lines
from gdtui.screens.pages.tables import TablesScreen
from gdtui.view.text.results_panel import conclusion


def measured(value: float) -> Measured:
    return Measured(
        generation=1, epoch=0, updates=100, samples=1000, seconds=1.0, effective_batch=64, lr=0.01,
        edge=200.0, cost=0.01,
        noise=NoiseScale(value=value, low=value / 2, high=value * 2, trace=value,
                         gradient_squared=1, samples=100),
    )  # fmt: skip


def trained(bench: Bench, name: str, *, duration: float, memory: int) -> Chunk:
    """Two chunks, the second of this duration."""
    return Chunk(
        generation=1, epoch=1, batch=101, update=101, in_update=0, samples=1000, seconds=1.0,
        duration=duration, batch_size=10, last_batch_size=10, accumulation_steps=1, lr=0.01,
        peak_memory=memory, losses=np.full(100, 0.5, "<f4").tobytes(),
    )  # fmt: skip


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_contradicted_words_are_marked_and_the_snr_has_its_interval(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    for place, name in enumerate(bench.names):
        bench.train(name, [0.8] * 100)
        memory = 300 << 20
        bench.write(name, trained(bench, name, duration=0.1 * place + 0.1, memory=memory))
        bench.write(name, measured(50.0))
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        rows = tables.trade_offs(app.main.viewer.store)
        mini, interval, words = rows[2:5]  # full has no interval: its gradient is exact
        assert mini.cells[1] == "1.32"
        assert interval.cells[:2] == ("95%", "0.66–2.6")
        told = {each.name: value for each, value in figure_lines(app.main.viewer.store)}
        assert "1.32 (0.661–2.64)" in told["signal-to-noise"]
        assert words.cells[1] == "moderate noise"
        assert words.cells[3] == "✗low"  # "very high" has as much
        await pilot.press("T")
        await pilot.pause()
        page = app.screen
        assert isinstance(page, TablesScreen)
        plain = page.content().plain
        assert "✗: the measured column contradicts this word" in plain
        assert "0.66–2.6" in plain


async def test_the_lessons_variance_stands_in_a_table_of_its_own_and_is_called_what_it_is(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    bench.finish()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        store = app.main.viewer.store
        [row] = [row for row in tables.lesson_result(store) if row.variants == (1,)]
        assert float(row.cells[2]) == pytest.approx(store.states[1].tally.std, abs=1e-6)
        await pilot.press("T")
        await pilot.pause()
        page = app.screen
        assert isinstance(page, TablesScreen)
        plain = re.sub(r"\s+", " ", page.content().plain)
        assert "final loss “variance” noise σ" in plain
        assert "“variance” in the lesson is the standard deviation of the epochs' mean" in plain


async def test_old_figures_are_pale(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    name = bench.names[1]
    bench.train(name, [0.8] * 100)
    bench.write(name, measured(50.0))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        store = app.main.viewer.store

        def pale() -> frozenset[int]:
            return next(row for row in tables.trade_offs(store) if row.variants == (1,)).pale

        assert pale() == frozenset()
        bench.train(name, [0.8] * 300, batch=101)
        await settle(pilot)
        assert 1 in pale()
        said = [text for part in explain(store, 1, is_ours=True) for text in part.paragraphs]
        assert "These figures are old: the oldest was measured 2 epochs ago." in said


async def test_a_claim_of_the_lesson_that_the_losses_contradict_is_marked(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    for place, name in enumerate(bench.names):
        bench.train(name, [0.8] * 200)
        end = replace(evaluation(1, loss=0.3 + place / 10), updates=1 + 100 * place)
        bench.write(name, end, state(State.FINISHED, 20.0))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        said = conclusion(app.main.viewer.store)
        assert "✗ Contradicted here: SGD made the most updates, but Batch GD has the lowest" in said
        assert "✗ Contradicted here" in text_of(app)
        await pilot.press("e")
        await pilot.pause()
        assert "✗ Contradicted here" in text_of(app)
