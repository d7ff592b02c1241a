"""The picture for slides and papers: everything that the runs hold, with the axes of its size."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.log.directory import RunDirectory
from gdtui.chart.scene.polyline import Axis
from gdtui.plot.comparison import NothingToPlotError, comparison, read_all, without_ghosts
from gdtui.plot.format import FORMATS
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.record_source import LogSource
from gdtui.state.store import Store
from gdtui.view.view_state import ViewState

MakeRun = Callable[..., RunDirectory]
STORED = Path(__file__).parents[2] / "stored_runs" / "format-1"
COLUMN = FORMATS["column"]


def store_of(run: RunDirectory) -> Store:
    return read_all(ShownRuns.of(run), LogSource(run))


@pytest.fixture(scope="module")
def stored() -> Store:
    return store_of(RunDirectory.open(STORED))


def test_it_has_lines_bands_points_marks_and_ghosts(stored: Store) -> None:
    picture = comparison(stored, ViewState(), COLUMN)
    current = [each for each in picture.series if not each.faint]
    assert [each.label for each in current] == ["Batch GD", "Mini-batch", "SGD → 8"]
    assert all(not each.line.is_empty and not each.points.is_empty for each in current)
    assert not current[2].band.is_empty
    assert [each.label for each in picture.series if each.faint] == ["Batch GD, before"]
    assert {mark.label for mark in picture.marks} >= {"batch 1→8", "momentum 0→0.9"}
    assert picture.x.high == max(float(each.points.x[-1]) for each in current)


@pytest.mark.parametrize("axis", Axis)
def test_each_axis_ends_with_its_data(stored: Store, axis: Axis) -> None:
    picture = comparison(stored, ViewState(axis=axis), COLUMN)
    ends = [float(line.x[-1]) for each in picture.series for line in (each.line, each.points)
            if not line.is_empty]  # fmt: skip
    assert picture.x.high == max(ends)
    assert picture.x.title.startswith(axis.value)


def test_a_narrow_chart_has_fewer_ticks(stored: Store) -> None:
    narrow, wide = (comparison(stored, ViewState(), FORMATS[each]) for each in ("column", "16:9"))
    assert len(narrow.x.ticks) <= len(wide.x.ticks)
    assert len(narrow.y.ticks) <= len(wide.y.ticks)


def test_ghosts_can_be_left_out(stored: Store) -> None:
    picture = comparison(stored, without_ghosts(ViewState(), stored), COLUMN)
    assert not any(each.faint for each in picture.series)


def test_a_run_without_a_loss_is_no_chart(make_run: MakeRun) -> None:
    run = make_run()
    for variant in run.info.settings.variants:
        run.variant_log(variant.name).unlink()
    with pytest.raises(NothingToPlotError, match="no loss"):
        comparison(store_of(run), ViewState(), COLUMN)
