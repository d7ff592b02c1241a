"""The planned end of a run on the x axis."""

from pathlib import Path

import pytest
from app_bench import Bench, state

from engine.log.follow import Follower
from engine.log.records import State
from gdtui.chart.scene.polyline import Axis
from gdtui.state.store import Store
from gdtui.view.data_extent import data_extent
from gdtui.view.ranges.planned import planned_end
from gdtui.view.view_state import ViewState


def read(bench: Bench) -> Store:
    store = Store(bench.run.info.settings)
    for name, record in Follower(bench.run).read(10**9):
        store.add(name, record)
    return store


@pytest.mark.parametrize(("axis", "end"), [
    (Axis.SAMPLES, 40_000.0), (Axis.UPDATES, 40_000.0), (Axis.SECONDS, 0.0),
])  # fmt: skip
def test_the_axis_spans_the_plan_from_the_first_frame(
    tmp_path: Path, axis: Axis, end: float
) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    store = read(bench)
    assert planned_end(store, axis) == end
    if end:
        assert data_extent(store, ViewState(axis=axis)).end == end


def test_updates_are_those_of_the_variant_with_most(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run", "full,64,600", drop_last=True)
    bench.begin(epochs=10)
    assert planned_end(read(bench), Axis.UPDATES) == 10 * (2_000 // 64)
    grouped = Bench(tmp_path / "grouped", "64", steps=4)
    grouped.begin(epochs=10)
    assert planned_end(read(grouped), Axis.UPDATES) == 10 * 8, "of 32 batches an epoch"


def test_it_stands_still_from_the_first_loss_to_the_last(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin(epochs=2)
    ends = set()
    for done in range(8):
        for name in bench.names:
            bench.train(name, [0.5] * 50, batch=1 + 50 * done)
        ends.add(data_extent(read(bench), ViewState()).end)
    assert ends == {4_000.0}


def test_a_run_that_ended_early_or_was_continued_shows_the_epochs_so_far(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    for name in bench.names:
        bench.train(name, [0.5] * 400)
        bench.write(name, state(State.DIVERGED, 20.0))
    assert data_extent(read(bench), ViewState()).end == 4_000
    other = Bench(tmp_path / "other")
    other.begin(epochs=40)
    other.train(other.names[0], [0.5] * 410)
    assert data_extent(read(other), ViewState()).end == 5_000
