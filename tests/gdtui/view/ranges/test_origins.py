"""The pictures of forks and rewinds: lines, ghosts and marks where they part."""

import pytest
from lineage import LARGER, chunk, evaluation, feed, origin, started, store_of

from gdtui.chart.scene.picture import Picture, Series
from gdtui.chart.scene.polyline import Axis
from gdtui.state.store import Store
from gdtui.view.focus import focused
from gdtui.view.pictures import AxisRanges, ChartSize, overlay
from gdtui.view.view_state import ViewState

CANVAS = ChartSize(200, 100, 30)
views = pytest.mark.parametrize(
    "view",
    [ViewState(axis=axis, raw=raw) for axis in Axis for raw in (False, True)],
    ids=lambda view: f"{view.axis}{'-raw' * view.raw}",
)


def picture(store: Store, view: ViewState) -> Picture:
    return overlay(store, view, CANVAS, AxisRanges())[0]


def series(store: Store, view: ViewState, label: str) -> Series:
    return next(each for each in picture(store, view).series if each.label == label)


def forked(batches: int = 30) -> Store:
    """B is A's fork after `batches` of its 60 batches, with another batch size."""
    store = store_of("A", "B")
    feed(store, "A", started(), chunk(1, 40), evaluation(20), evaluation(40), chunk(41, 60))
    beginning = started(1, origin(batches, variant="A"), LARGER)
    feed(store, "B", beginning, chunk(batches + 1, 50, loss=9.0))
    return store


@views
def test_a_forks_line_begins_with_a_point_of_the_old_curve(view: ViewState) -> None:
    store = forked()
    old, new = (series(store, view, name).line for name in ("A", "B"))
    place = int((old.x == new.x[0]).nonzero()[0][0])
    assert old.low[place] == pytest.approx(new.low[0])
    assert 0 < place < old.x.size - 1
    assert new.low[1] > old.low[place + 1]


def test_a_forks_band_and_points_are_those_after_its_origin() -> None:
    fork = series(forked(), ViewState(), "B")
    assert fork.points.is_empty or fork.points.x.min() >= 29
    assert fork.band.is_empty or fork.band.x.min() >= 29
    assert fork.reach.x.min() == 29


def test_a_mark_shows_where_a_fork_begins_and_what_differs() -> None:
    marks = picture(forked(), ViewState()).marks
    assert [(mark.x, mark.label) for mark in marks] == [(30.0, "fork, batch 1→2")]


def test_alone_on_the_screen_a_fork_has_the_past_that_it_shares() -> None:
    store = forked()
    alone, _ = focused(store, store.states[1], ViewState(selected=1), CANVAS, AxisRanges())
    assert min(each.line.x.min() for each in alone.series if not each.line.is_empty) <= 0


@pytest.mark.parametrize("axis", Axis)
def test_a_ghost_is_what_a_rewind_has_abandoned(axis: Axis) -> None:
    store, view = store_of("A"), ViewState(axis=axis)
    feed(store, "A", started(), chunk(1, 60), started(2, origin(30)), chunk(31, 40, 2, loss=9.0))
    ghost, line = series(store, view, "A, before"), series(store, view, "A")
    assert ghost.faint
    assert line.line.x[0] < ghost.line.x[0] < line.line.x[-1] < ghost.line.x[-1]
    assert ghost.line.low[0] == pytest.approx(line.line.low[line.line.x == ghost.line.x[0]][0])
    (mark,) = picture(store, view).marks
    assert mark.label == "rewound"


def test_the_ghost_of_an_undone_rewind_parts_where_the_rewind_did() -> None:
    store, view = store_of("A"), ViewState(axis=Axis.SECONDS)
    feed(store, "A", started(), chunk(1, 60), started(2, origin(30)), chunk(31, 40, 2, loss=9.0))
    feed(store, "A", started(3, origin(60)), chunk(61, 70, 3))
    assert series(store, view, "A, before").line.x[0] == 30
    assert series(store, view, "A").line.x[-1] == 70


def test_the_ghost_of_a_restart_is_whole() -> None:
    store = store_of("A")
    feed(store, "A", started(), chunk(1, 60), started(2), chunk(1, 10, 2))
    assert series(store, ViewState(), "A, before").line.x[0] == 0
