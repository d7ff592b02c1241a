"""How much of a chart a frame draws: all of it, its lines, or nothing."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gdtui.chart.scene.layout import Room
from gdtui.chart.scene.picture import Picture, Scale
from gdtui.chart.widget.chart import Chart
from gdtui.screens.main.live_chart import Growth, LiveChart
from gdtui.terminal.budget import Thrift
from gdtui.view.pictures import ChartSize

WIDTH = 1000.0
DOTS = 100
TURN = 0.4
"""Seconds between two turns of a chart."""


class Drawing:
    """A live chart of two variants, on a canvas of 100 columns of dots, and what was drawn."""

    def __init__(self, *, has_lines: bool = True, phase: float = 0.0) -> None:
        self.drawn: list[str] = []
        self.now = 0.0
        self._has_lines = has_lines
        self._version = 0
        self.widget = SimpleNamespace(
            is_on_screen=True,
            canvas=Room(6, 0, DOTS // 2, 10, True),
            show=lambda _picture: self.drawn.append("whole"),
            extend=lambda _picture: self.drawn.append("lines"),
        )
        self._live = LiveChart(cast(Chart, self.widget), phase, lambda: self.now)

    def update(
        self,
        *ends: float,
        of: object = "",
        version: int | None = None,
        measured: int = 0,
        at_once: bool = False,
        early: bool = False,
        rests: bool = False,
        thrift: Thrift = Thrift.NONE,
    ) -> list[str]:
        """The parts drawn by a frame for lines that end here."""
        self._version = self._version + 1 if version is None else version
        before = len(self.drawn)
        growth = Growth(self._version, ends, WIDTH, measured)
        extend = _extended if self._has_lines else None
        self._live.update(
            of, growth, _picture, extend,
            at_once=at_once, early=early, rests=rests, thrift=thrift,
        )  # fmt: skip
        return self.drawn[before:]


def _picture(_size: ChartSize) -> Picture:
    return Picture(Scale(0.0, WIDTH), Scale(0.0, 1.0))


def _extended(picture: Picture, _size: ChartSize) -> Picture:
    return picture


def test_a_line_grows_once_it_is_longer_by_a_dot() -> None:
    drawing = Drawing()
    assert drawing.update(100.0, 100.0) == ["whole"]
    assert drawing.update(106.0, 109.9) == []
    assert drawing.update(108.0, 110.0) == ["lines"]
    assert drawing.update(117.0, 119.0) == []
    assert drawing.update(118.0, 119.0) == ["lines"]


def test_a_resting_chart_waits_with_new_dots_but_not_for_its_turn() -> None:
    drawing = Drawing()
    drawing.update(100.0)
    assert drawing.update(110.0, rests=True) == []
    assert drawing.update(110.0, of="paused", rests=True) == ["whole"]
    assert drawing.update(120.0, of="paused", rests=True) == []
    assert drawing.update(120.0, of="paused") == ["lines"]
    drawing.now = TURN
    assert drawing.update(121.0, of="paused", rests=True) == ["lines"]


@pytest.mark.parametrize("phase", [0.0, 0.25, 0.5])
def test_lines_follow_when_it_is_the_charts_turn(phase: float) -> None:
    drawing = Drawing(phase=phase)
    drawing.update(100.0, 100.0)
    drawing.now = TURN * (1 - phase) - 0.01
    assert drawing.update(101.0, 100.0) == []
    drawing.now += 0.02
    assert drawing.update(101.0, 100.0, version=2) == ["lines"]
    drawing.now += TURN
    assert drawing.update(101.0, 100.0, version=2) == []
    assert drawing.update(101.0, 100.0, version=3) == ["lines"]
    assert drawing.update(101.0, 100.0, version=4) == []


def test_lines_follow_early_in_a_frame_in_which_nothing_else_is_new() -> None:
    drawing = Drawing()
    drawing.update(100.0, version=1)
    assert drawing.update(100.0, version=1, early=True) == []
    assert drawing.update(101.0, version=2, early=True) == ["lines"]
    assert drawing.update(101.0, version=2, early=True) == []


def test_the_rest_follows_at_every_third_turn() -> None:
    drawing = Drawing()
    drawing.update(100.0, 100.0)
    drawn = []
    for turn in range(1, 7):
        drawing.now = (turn + 0.5) * TURN
        drawn += drawing.update(101.0, 100.0)
    assert drawn == ["lines", "lines", "whole"] * 2
    drawing.now += 4 * TURN
    assert drawing.update(101.0, 100.0, version=7) == []
    assert drawing.update(101.0, 100.0) == ["whole"]


@pytest.mark.parametrize(
    ("thrift", "expected"),
    [
        (Thrift.SOME, ["lines", "lines", "whole"] * 2),
        (Thrift.MUCH, ["", "lines", "", "lines", "", "whole"]),
    ],
)
def test_where_time_is_short_new_dots_wait_and_turns_may_be_rarer_but_keys_are_shown(
    thrift: Thrift, expected: list[str]
) -> None:
    drawing = Drawing()
    drawing.update(100.0)
    assert drawing.update(120.0, thrift=thrift) == [], "new dots wait"
    drawn = []
    for turn in range(1, 13):
        drawing.now = (turn + 0.5) * TURN
        drawn += drawing.update(120.0 + turn, thrift=thrift) or [""]
    assert drawn == expected * 2
    assert drawing.update(133.0, thrift=thrift, at_once=True) == ["whole"]
    assert drawing.update(133.0, of="paused", thrift=thrift) == ["whole"]


def test_what_only_the_lines_have_so_far_is_drawn_even_if_no_more_comes() -> None:
    drawing = Drawing()
    drawing.update(100.0, version=1)
    assert drawing.update(110.0, version=2) == ["lines"]
    drawing.now = 3.5 * TURN
    assert drawing.update(110.0, version=2) == ["whole"]
    drawing.now += 4 * TURN
    assert drawing.update(110.0, version=2) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(0, 1, "whole"), (19, 20, "whole"), (20, 21, "lines"), (100, 106, "whole"), (4, 2, "whole")],
)
def test_a_single_value_is_drawn_at_the_next_turn_unless_there_are_many(
    before: int, after: int, expected: str
) -> None:
    drawing = Drawing()
    drawing.update(100.0, measured=before)
    assert drawing.update(101.0, measured=after) == []
    drawing.now = TURN
    assert drawing.update(101.0, measured=after) == [expected]


@pytest.mark.parametrize(("before", "after"), [(0.0, 1e-3), (1e-3, 2e-3), (500.0, 1.0)])
def test_first_losses_and_restarts_are_drawn_at_once(before: float, after: float) -> None:
    drawing = Drawing()
    drawing.update(before, 400.0)
    assert drawing.update(after, 400.0) == ["whole"]


def test_anything_but_the_data_is_drawn_at_once() -> None:
    drawing = Drawing()
    drawing.update(100.0, version=1)
    assert drawing.update(100.0, of="paused", version=1) == ["whole"]
    drawing.widget.canvas = Room(6, 0, 80, 10, True)
    assert drawing.update(100.0, of="paused", version=1) == ["whole"]
    assert drawing.update(100.0, of="paused", version=1, at_once=True) == []
    assert drawing.update(100.0, of="paused", version=2, at_once=True) == ["whole"]


def test_a_picture_without_lines_to_extend_is_drawn_as_a_whole() -> None:
    drawing = Drawing(has_lines=False)
    drawing.update(100.0)
    assert drawing.update(101.0) == []
    assert drawing.update(110.0) == ["whole"]


def test_what_is_not_visible_is_drawn_when_it_is() -> None:
    drawing: Any = Drawing()
    drawing.widget.is_on_screen = False
    assert drawing.update(100.0) == []
    drawing.widget.is_on_screen = True
    assert drawing.update(100.0, version=1) == ["whole"]
