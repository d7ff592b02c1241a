"""A picture extended by new batches has the lines of one that is drawn afresh."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from app_bench import Bench

from engine.log.follow import Follower
from gdtui.chart.scene.picture import Picture
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.store import Store
from gdtui.view import pictures
from gdtui.view.pictures import AxisRanges, ChartSize
from gdtui.view.view_state import ViewState

SIZE = ChartSize(200, 100, 20)
BATCHES = 100


@pytest.mark.parametrize("options", [{}, {"raw": True}, {"log": True}])
def test_extended_lines_are_those_of_a_picture_drawn_afresh(
    tmp_path: Path, options: dict[str, bool]
) -> None:
    bench, view, rng = Bench(tmp_path / "run"), ViewState(**options), np.random.default_rng(0)
    store, logs = _store(bench), Follower(bench.run)
    bench.begin()

    def train(batch: int) -> None:
        for name in bench.names:
            bench.train(name, rng.normal(0.5, 0.2, BATCHES), batch=batch)
        for name, record in logs.read(10**6):
            store.add(name, record)

    train(1)
    common = pictures.axis_ranges(store, view, AxisRanges())
    whole = pictures.overlay(store, view, SIZE, common)[0]
    panel = pictures.panel(store, store.states[1], view, SIZE, common)[0]
    train(BATCHES + 1)
    longer = pictures.extended(store.states, view, whole, SIZE)
    afresh = pictures.overlay(store, view, SIZE, common)[0]
    assert _lines(longer) == _lines(afresh) != _lines(whole)
    longer = pictures.extended([store.states[1]], replace(view, raw=True), panel, SIZE)
    afresh = pictures.panel(store, store.states[1], view, SIZE, common)[0]
    assert _lines(longer) == _lines(afresh) != _lines(panel)


def test_a_loss_of_zero_hides_no_other_on_a_log_axis(tmp_path: Path) -> None:
    """A confident model's loss underflows to 0, in a column that also holds its worst one."""
    bench, view = Bench(tmp_path / "run"), ViewState(raw=True, log=True)
    store, logs = _store(bench), Follower(bench.run)
    bench.begin()
    losses = np.full(2000, 0.5)
    losses[[1000, 1001]] = 0.0, 3.0
    for name in bench.names:
        bench.train(name, losses, batch=1)
    for name, record in logs.read(10**6):
        store.add(name, record)
    picture = pictures.overlay(store, view, SIZE, pictures.axis_ranges(store, view, AxisRanges()))[
        0
    ]
    for one in picture.series:
        assert np.nanmax(one.line.high) == 3.0
        assert picture.y.low > 0


def _store(bench: Bench) -> Store:
    shown = ShownRuns.of(bench.run)
    return Store(shown.settings, shown.variants)


def _lines(picture: Picture) -> list[bytes]:
    parts = [(one.line.x, one.line.low, one.line.high) for one in picture.series]
    return [np.concatenate(each).tobytes() for each in parts]
