"""The results at the end: noise and loss on all data, and ends that are no success."""

from pathlib import Path

import numpy as np
import pytest
from app_bench import NARROW, WIDE, Bench, evaluation, row, settle, state
from shown import text_of

from engine.log.figures.batch_noise import BatchNoise
from engine.log.file import LogReader
from engine.log.records import AnyRecord, Chunk, Started, State
from gdtui.view.text.formatting import number
from gdtui.view.text.results_panel import headings, rows


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_they_show_the_noise_and_not_the_drift_of_the_epochs(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    bench.finish()
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        store = app.main.viewer.store
        head = " ".join(row(app, "noise σ" + " " * (3 if size is WIDE else 1)).split())
        learnt = "all data noise σ last epoch updates training"
        assert head.strip("│ ") == (f"batch lr {learnt}" if size is WIDE else learnt)
        assert not {"std", "variance"} & {*headings(store)}
        shown = float(rows(store)[1].cells[1])
        assert shown == pytest.approx(store.states[1].spread, rel=1e-2)


async def test_a_wide_table_has_the_settings_at_the_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run", "64")
    bench.begin()
    bench.finish()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        (found,) = rows(app.main.viewer.store)
        assert found.settings == ("64", number(bench.run.info.settings.variants[0].settings.lr))


async def test_the_printed_noise_is_that_of_the_screen(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    name = bench.names[1]
    noise = BatchNoise()
    bench.train(name, np.random.default_rng(1).normal(0.5, 0.1, 700))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        for record in _records(bench, name):
            if isinstance(record, Started | Chunk):
                noise.add(record)
        assert noise.sigma == pytest.approx(app.main.viewer.store.states[1].spread, rel=1e-6)


@pytest.mark.parametrize(
    ("end", "word"), [(1e8, "finished, diverging"), (4.0, "finished, loss 5 × its start")]
)
async def test_an_end_above_the_start_is_not_plainly_finished(
    tmp_path: Path, end: float, word: str
) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    bench.finish()
    name = bench.names[2]
    bench.write(name, evaluation(2, loss=end), state(State.FINISHED, 20.0))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "Not all ended below their start: SGD" in text_of(app)
        assert row(app, " gdtui ").split()[-1] == "ended"  # not "finished"
        await pilot.press("i")  # the panels, whose place the results take
        await settle(pilot)
        assert word in text_of(app)
        await pilot.press("z")
        await settle(pilot)
        assert row(app, "  3 SGD  ").split()[-1] == "worse"


def _records(bench: Bench, name: str) -> list[AnyRecord]:
    return list(LogReader(bench.run.variant_log(name)))
