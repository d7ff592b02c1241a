"""Frames by plotext: its share of a drawing, and the input that it is spared."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rich.text import Text

from gdtui.chart.drawing.frame import KEPT_FRAMES, FrameInks, frame, frame_at_once, still
from gdtui.chart.scene.axes import settle, x_scale, y_scale
from gdtui.chart.scene.layout import GUTTER, room
from gdtui.chart.scene.picture import Mark, Picture, Scale, Series
from gdtui.chart.scene.polyline import EMPTY, Polyline

INKS = FrameInks(axis="#111111", label="#222222", grid="#333333")
X, Y = x_scale(40_000, 50), y_scale((0.0, 1.0), 10)


@pytest.mark.parametrize("size", [(18, 5), (40, 12), (80, 24), (300, 100)])
@pytest.mark.parametrize("log", [False, True])
def test_the_canvas_lies_right_of_the_axis_and_above_the_other(
    size: tuple[int, int], log: bool
) -> None:
    drawn = frame(X, y_scale((0.01, 1.0), 10, log=log), *size, INKS)
    left, top, width, height, _ = drawn.canvas
    assert (left + width, top + height + 2) == size
    assert [len(row) for row in drawn.rows] == [size[0]] * size[1]
    assert all(row[left - 1] in "│┼┤" for row in drawn.rows[:height])
    assert set(drawn.rows[height][left:]) <= set("─┬")
    inside = "".join(row[left:] for row in drawn.rows[:height])
    assert set(inside) <= set(" ┈")


def test_ticks_and_labels_are_those_of_the_scales() -> None:
    drawn = frame(X, Y, 80, 14, INKS)
    assert [row[:GUTTER].strip() for row in drawn.rows if row[:GUTTER].strip()] == [
        text for _, text in reversed(Y.ticks)
    ]
    assert drawn.rows[-1].split() == [text for _, text in X.ticks]


@settings(deadline=None, max_examples=60)
@given(
    size=st.tuples(st.integers(20, 120), st.integers(6, 30)),
    end=st.floats(1e-3, 1e9),
    low=st.floats(1e-8, 1e8),
    times=st.floats(1.0, 1e5),
    log=st.booleans(),
)
def test_the_two_parts_of_a_frame_are_those_that_plotext_draws_of_the_whole(
    size: tuple[int, int], end: float, low: float, times: float, log: bool
) -> None:
    y = y_scale(settle(None, low, low * times, log), size[1] - 2, log=log)
    x = x_scale(end, size[0] - room(y, *size).left)
    assume(room(y, *size).framed)
    whole = frame_at_once(x, y, *size, INKS)
    drawn = frame(x, y, *size, INKS)
    assert (drawn.rows, drawn.colours) == whole


def test_the_colours_are_the_themes() -> None:
    drawn = frame(X, Y, 80, 14, INKS)
    left = drawn.canvas.left
    at_tick = next(i for i, row in enumerate(drawn.rows) if row[left - 1] == "┼")
    assert drawn.colours[at_tick][left - 1] == INKS.axis
    assert drawn.colours[at_tick][left - 2] == INKS.label
    assert drawn.colours[at_tick][left] == INKS.grid
    assert {colour for row in drawn.colours for colour in row} == {
        "", INKS.axis, INKS.label, INKS.grid,
    }  # fmt: skip


def test_a_longer_label_widens_the_gutter_and_shorter_ones_do_not_narrow_it() -> None:
    short, long = Scale(0, 1, ((0.5, "1"),)), Scale(0, 1, ((0.5, "1000000"),))
    assert room(short, 80, 20).left == room(None, 80, 20).left == GUTTER + 1
    assert frame(X, long, 80, 20, INKS).canvas.left == 8
    assert frame(X, long, 80, 20, INKS).rows[0][7] == "│"


def test_small_charts_have_no_frame_and_tiny_ones_no_canvas() -> None:
    assert room(Y, 17, 20)[2:] == (17, 20, False)
    assert room(Y, 80, 4)[2:] == (80, 4, False)
    assert room(Y, 3, 20)[2:] == room(Y, 80, 1)[2:] == (0, 0, False)


def test_escapes_in_a_label_do_not_reach_the_terminal() -> None:
    evil = Scale(0.0, 1.0, ((0.5, "\x1b[2J5"),))
    assert frame(X, evil, 60, 12, INKS).canvas.left >= GUTTER + 1
    assert "\x1b" not in "".join(frame(X, evil, 60, 12, INKS).rows)


def test_ticks_outside_of_the_range_are_left_out() -> None:
    scale = Scale(0.0, 1.0, ((-5.0, "low"), (0.5, "half"), (1e30, "high"), (float("nan"), "nan")))
    assert "".join(frame(scale, Y, 60, 12, INKS).rows[-1]).split() == ["half"]


# --- Stills ---------------------------------------------------------------------------------------


def picture(y: Scale = Y, title: str = "loss") -> Picture:
    x = np.linspace(0, 40_000, 100)
    values = 0.7 * np.exp(-x / 20_000)
    polyline = Polyline(x, values, values)
    raw = Polyline(x, values - 0.05, values + 0.05)
    series = (
        Series(
            "Mini-batch", "#e69f00", polyline, raw, Polyline(x[::20], values[::20], values[::20])
        ),
        Series("SGD", "#2fc796", polyline),
    )
    return Picture(X, y, series, (Mark(10_000, "#e69f00", "lr"),), title=title)


def plain(ansi: str) -> list[str]:
    return [row.rstrip() for row in Text.from_ansi(ansi).plain.split("\n")]


def test_a_still_shows_title_axes_legend_lines_and_points() -> None:
    rows = plain(still(picture(), 80, 24))
    everything = "\n".join(rows)
    assert "\x1b[48;" not in still(picture(), 80, 24)  # the page's own background
    assert rows[0].strip() == "loss"
    for part in ("Mini-batch", "SGD", "◆", "┊", "40k"):
        assert part in everything
    assert re.search("[⠁-⣿]", everything)
    assert max(len(row) for row in rows) <= 80


def test_a_still_shows_held_out_points_hollow() -> None:
    whole = picture()
    one = whole.series[0]
    series = (replace(one, points=EMPTY, validation=one.points),)
    rows = "\n".join(plain(still(replace(whole, series=series), 80, 24)))
    assert "◇" in rows
    assert "◆" not in rows


def test_a_still_survives_what_plotext_does_not() -> None:
    bad = picture(title="\x1b[2Jloss")
    values = bad.series[0].line.low
    values[3], values[10], values[20], values[30] = np.nan, np.inf, 1e300, -1e300
    for y in (Y, y_scale((0.01, 1.0), 10, log=True), Scale(0.0, 0.0), Scale(np.nan, np.inf)):
        ansi = still(Picture(bad.x, y, bad.series, bad.marks, title=bad.title), 60, 16)
        assert "\x1b[2J" not in ansi
        assert len(plain(ansi)) >= 16


def _forget() -> None:
    """Draw more other frames than are kept."""
    for width in range(20, 21 + KEPT_FRAMES):
        frame(X, Y, width, 6, INKS)


def test_a_still_does_not_disturb_the_frame_of_the_next_chart() -> None:
    _forget()
    before = frame(X, Y, 80, 14, INKS)
    still(picture(), 100, 30)
    _forget()
    assert frame(X, Y, 80, 14, INKS) == before
