"""The counts of losses and single values beyond the y axis."""

from pathlib import Path

import numpy as np
import pytest
from app_bench import Bench, evaluation

from engine.log.follow import Follower
from gdtui.chart.scene.picture import Picture, Scale, Series
from gdtui.chart.scene.polyline import Polyline
from gdtui.state.store import Store
from gdtui.view.ranges.beyond import with_counts
from gdtui.view.view_state import ViewState


def store_of(bench: Bench) -> Store:
    """The state of its run."""
    store = Store(bench.run.info.settings)
    for name, record in Follower(bench.run).read(10**9):
        store.add(name, record)
    return store


@pytest.mark.parametrize(
    ("losses", "full", "held_out", "above", "below"),
    [
        ([0.5], 0.5, 0.5, "", ""),
        ([0.5, 2.0, 3.0, -1.0], 0.5, 0.5, "2 losses above 1.0", "1 loss below 0"),
        ([0.5], 0.5, 2.0, "1 ◇ above 1.0", ""),
        ([0.5, 2.0], 1.5, 2.0, "1 loss and 1 ◆ and 1 ◇ above 1.0", ""),
        ([0.5], -0.5, float("nan"), "", "1 ◆ below 0"),
        ([0.5], float("inf"), 0.5, "", ""),
    ],
)
def test_losses_and_single_values_are_told_apart(
    tmp_path: Path, losses: list[float], full: float, held_out: float, above: str, below: str
) -> None:
    bench = Bench(tmp_path / "run", "64")
    bench.begin()
    (name,) = bench.names
    bench.train(name, losses)
    bench.write(name, evaluation(1, loss=full, validation=held_out))
    store = store_of(bench)
    curves = store.states[0].current
    assert curves is not None
    picture = Picture(Scale(0.0, 40_000.0), Scale(0.0, 1.0))
    found = with_counts(picture, [curves.history], ViewState(), [curves])
    assert (found.above, found.below) == (above, below)
    elsewhere = Picture(Scale(2_001.0, 40_000.0), Scale(0.0, 1.0))
    assert not with_counts(elsewhere, [curves.history], ViewState(), [curves]).above


@pytest.mark.parametrize(
    ("high", "log", "offers"), [(3.9, False, False), (4.1, False, True), (4.1, True, False)]
)
def test_a_logarithmic_axis_is_offered_for_what_is_far_above(
    tmp_path: Path, high: float, log: bool, offers: bool
) -> None:
    bench = Bench(tmp_path / "run", "64")
    bench.begin()
    (name,) = bench.names
    bench.train(name, [0.5, high])
    store = store_of(bench)
    curves = store.states[0].current
    assert curves is not None
    reach = Polyline(np.array([0.0]), np.array([0.5]), np.array([high]))
    y = Scale(0.01, 1.0, log=True) if log else Scale(0.0, 1.0)
    picture = Picture(Scale(0.0, 40_000.0), y, (Series("a", "#0000ff", reach=reach),))
    found = with_counts(picture, [curves.history], ViewState(log=log))
    assert found.above == "1 loss above 1.0" + " · y: log" * offers
