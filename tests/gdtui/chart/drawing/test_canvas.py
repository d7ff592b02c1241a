"""Owners of a cell: the order of the layers, their inks, marks and labels."""

from dataclasses import replace

import numpy as np
import pytest

from gdtui.chart.drawing.canvas import BAR_SHARE, compose, paint, with_cursor
from gdtui.chart.drawing.cells import Cells
from gdtui.chart.drawing.frame import FrameInks
from gdtui.chart.drawing.layers import Layers
from gdtui.chart.scene.layout import Room
from gdtui.chart.scene.palette import INK, ON_BLACK, blend
from gdtui.chart.scene.picture import Mark, Picture, Scale, Series
from gdtui.chart.scene.polyline import Polyline
from gdtui.chart.scene.tints import TEXT_CONTRAST, contrast, mixed, tint

BLUE, ORANGE, BLACK, WHITE = "#0000ff", "#ffa500", "#000000", "#ffffff"
UNIT = Scale(0.0, 1.0)
INKS = FrameInks(axis="#555555", label="#999999", grid="#333333")
WIDTH, HEIGHT = 30, 10


def level(low: float, high: float | None = None) -> Polyline:
    """The same value, or range, over the whole width."""
    x = np.linspace(0.0, 1.0, 2 * WIDTH)
    top = low if high is None else high
    return Polyline(x, np.full(x.size, low), np.full(x.size, top))


def dot(x: float, y: float) -> Polyline:
    return Polyline(np.array([x]), np.array([y]), np.array([y]))


def drawn(*series: Series, marks: tuple[Mark, ...] = ()) -> Cells:
    cells = Cells.blank(WIDTH, HEIGHT)
    compose(Picture(UNIT, UNIT, series, marks), cells, BLACK)
    return cells


def text(cells: Cells, row: int) -> str:
    return "".join(run.text for run in cells.runs(row))


def colours(cells: Cells) -> set[str]:
    return {cells.palette[ink] for ink in cells.inks[cells.characters != ord(" ")]}


def grounds(cells: Cells) -> list[list[str]]:
    return [[cells.palette[ground] for ground in row] for row in cells.grounds]


def test_nothing_to_draw_leaves_the_cells_as_they_were() -> None:
    assert all(text(drawn(), row) == " " * WIDTH for row in range(HEIGHT))


def test_a_line_is_drawn_in_its_own_colour() -> None:
    assert colours(drawn(Series("a", BLUE, level(0.5)))) == {BLUE}


def test_a_line_on_a_band_has_its_background_and_cuts_nothing_out_of_it() -> None:
    both = drawn(Series("a", BLUE, level(0.55), level(0.2, 0.9)))
    only_band = drawn(Series("a", BLUE, band=level(0.2, 0.9)))
    only_line = drawn(Series("a", BLUE, level(0.55)))
    assert (both.characters == only_line.characters).all()
    assert colours(both) == {BLUE}
    assert grounds(both) == grounds(only_band)
    assert {*grounds(both)[4]} == {tint(BLUE, BLACK)}
    assert {*grounds(both)[0], *grounds(both)[9]} == {""}


def test_a_line_among_raw_losses_stands_alone_in_its_cells() -> None:
    both = drawn(Series("a", ORANGE, level(0.1, 0.9), depth=1), Series("b", BLUE, level(0.55)))
    only_line = drawn(Series("b", BLUE, level(0.55)))
    blue = both.inks == both.ink(BLUE)
    assert (both.characters[blue] == only_line.characters[blue]).all()


def test_bands_that_overlap_mix_whatever_the_order() -> None:
    narrow = Series("a", BLUE, band=level(0.4, 0.5))
    wide = Series("b", ORANGE, band=level(0.0, 1.0))
    for order in ((narrow, wide), (wide, narrow)):
        cells = drawn(*order)
        both = mixed((tint(BLUE, BLACK), tint(ORANGE, BLACK)), BLACK)
        assert cells.palette[cells.grounds[5, 15]] == both
        assert cells.palette[cells.grounds[1, 15]] == tint(ORANGE, BLACK)


def test_half_a_cell_of_a_band_has_half_its_tint_and_a_quarter_is_the_least_seen() -> None:
    cells = drawn(Series("a", BLUE, band=level(0.35, 0.5)))
    half = blend(tint(BLUE, BLACK), BLACK, 0.5)
    assert [cells.palette[ground] for ground in cells.grounds[5:7, 9]] == [tint(BLUE, BLACK), half]
    assert drawn(Series("a", BLUE, band=level(0.43, 0.46))).grounds.any()
    assert not drawn(Series("a", BLUE, band=level(0.44, 0.45))).grounds.any()


@pytest.mark.parametrize("colour", [ON_BLACK[0], INK])
def test_without_tints_a_band_is_an_outline_that_lines_cross(colour: str) -> None:
    cells = drawn(Series("a", colour, level(0.55), level(0.15, 0.9)))
    assert not cells.grounds.any()
    faint = cells.inks == cells.ink(blend(colour, BLACK, BAR_SHARE))
    assert [row for row in range(HEIGHT) if faint[row].any()] == [1, 8]
    dots = cells.characters[faint] - 0x2800
    assert ((dots & 0b10111000) == 0).all(), "the left column alone: half as dense as a line"
    assert [row for row in range(HEIGHT) if (cells.inks[row] == cells.ink(colour)).all()] == [4]


def test_text_over_a_band_is_legible() -> None:
    band = Series("a", ORANGE, band=level(0.0, 1.0))
    cells = drawn(band, marks=(Mark(0.35, BLUE, "lr 0.02"),))
    ink, ground = (cells.palette[one[0, 12]] for one in (cells.inks, cells.grounds))
    assert ground == tint(ORANGE, BLACK)
    assert contrast(ink, ground) >= TEXT_CONTRAST > contrast(BLUE, ground)


def test_lines_that_meet_keep_their_dots_and_their_colours_alternate() -> None:
    one, other = Series("a", BLUE, level(0.52)), Series("b", ORANGE, level(0.57))
    both, first, last = drawn(one, other), drawn(one), drawn(other)
    merged = (first.characters - 0x2800) | (last.characters - 0x2800)
    lit = both.characters != ord(" ")
    assert (both.characters[lit] - 0x2800 == merged[lit]).all()
    inks = [both.palette[ink] for ink in both.inks[4]]
    assert inks == ([BLUE] * 2 + [ORANGE] * 2) * (WIDTH // 4) + [BLUE] * 2


def test_of_three_lines_each_has_a_third_of_the_cells_they_share_and_its_own() -> None:
    series = [
        Series(name, colour, level(0.52))
        for name, colour in (("a", BLUE), ("b", ORANGE), ("c", WHITE))
    ]
    cells = drawn(*series, Series("d", "#00ff00", level(0.15)))
    inks = [cells.palette[ink] for ink in cells.inks[4]]
    assert [inks.count(one.colour) for one in series] == [WIDTH // 3] * 3
    assert {cells.palette[ink] for ink in cells.inks[8]} == {"#00ff00"}


def test_a_line_ends_with_its_text_beside_it_or_above_it_at_the_edge() -> None:
    short = Polyline(*(part[:30] for part in (level(0.55).x, level(0.55).low, level(0.55).low)))
    row = text(drawn(Series("a", BLUE, short, end="1 0.55")), 4)
    assert row[15:].strip() == "1 0.55"
    assert row[15] == " "
    edge = drawn(Series("a", BLUE, level(0.55), end="1 0.55"))
    assert text(edge, 3) == " " * (WIDTH - 6) + "1 0.55"
    assert colours(edge) == {BLUE}


def test_texts_of_lines_that_end_together_stand_below_each_other() -> None:
    series = [
        Series(name, colour, level(value), end=f"{name} {value}")
        for name, colour, value in (("1", BLUE, 0.52), ("2", ORANGE, 0.53), ("3", WHITE, 0.54))
    ]
    rows = [text(drawn(*series), row) for row in range(HEIGHT)]
    assert all(one.end in "\n".join(rows) for one in series)
    assert all("\u2801" <= character <= "\u28ff" for character in rows[4]), "the lines are whole"


def test_the_uppermost_line_has_its_text_first() -> None:
    lines = {"middle": 0.45, "upper": 0.55, "lower": 0.35}
    series = [Series(name, BLUE, level(value), end=name) for name, value in lines.items()]
    rows = [text(drawn(*series), row) for row in range(HEIGHT)]
    found = {name: next(at for at, row in enumerate(rows) if name in row) for name in lines}
    assert found == {"upper": 3, "middle": 7, "lower": 8}


def test_a_text_without_room_in_its_order_covers_its_own_line() -> None:
    values = (0.35, 0.25, 0.15, 0.05)
    inks = (BLUE, ORANGE, WHITE, "#00ff00")
    series = [
        Series(f"{value}", ink, level(value), end=f"n {value}")
        for value, ink in zip(values, inks, strict=True)
    ]
    rows = [text(drawn(*series), row) for row in range(HEIGHT)]
    found = [next(at for at, row in enumerate(rows) if one.end in row) for one in series]
    assert found == [5, 7, 8, 9]


def test_a_line_that_has_fallen_within_a_column_has_its_text_at_its_end() -> None:
    fallen = Polyline(np.array([0.0]), np.array([0.1]), np.array([0.9]))
    cells = drawn(Series("a", BLUE, fallen, end="1 0.15", last=0.15))
    assert "1 0.15" in text(cells, 8)


def test_the_texts_of_many_lines_are_a_list_in_their_order() -> None:
    values = [0.30 + 0.004 * place for place in range(5)]
    series = [Series(f"{v}", BLUE, level(v), end=f"{place}") for place, v in enumerate(values)]
    rows = [text(drawn(*series), row)[-1] for row in range(HEIGHT)]
    assert "43210" in "".join(rows)


def test_points_lie_on_top_of_every_line() -> None:
    points = dot(0.5, 0.55)
    cells = drawn(Series("a", BLUE, points=points), Series("b", ORANGE, level(0.55)))
    row, column = np.argwhere(cells.characters == ord("◆"))[0]
    assert (row, column) == (4, 15)
    assert cells.palette[cells.inks[row, column]] == BLUE


def test_crowded_points_are_small() -> None:
    x = np.linspace(0, 1, 20)
    crowd = Polyline(x, np.full(20, 0.5), np.full(20, 0.5))
    assert "•" in text(drawn(Series("a", BLUE, points=crowd)), 5)
    few = Series("b", ORANGE, points=dot(0.5, 0.95))
    assert "•" in text(drawn(Series("a", BLUE, points=crowd), few), 0), "as are those beside them"


def test_held_out_points_are_hollow_and_one_with_a_full_one_in_the_same_cell() -> None:
    points = Polyline(np.array([0.1, 0.5]), np.array([0.55, 0.55]), np.array([0.55, 0.55]))
    held_out = Polyline(np.array([0.1, 0.5]), np.array([0.55, 0.85]), np.array([0.55, 0.85]))
    cells = drawn(Series("a", BLUE, points=points, validation=held_out))
    assert [text(cells, 4)[column] for column in (3, 15)] == ["◈", "◆"]
    assert text(cells, 1)[15] == "◇"
    assert colours(cells) == {BLUE}


def test_many_held_out_points_make_all_small() -> None:
    x = np.linspace(0, 1, 20)
    crowd = Polyline(x, np.full(20, 0.5), np.full(20, 0.5))
    cells = drawn(Series("a", BLUE, points=dot(0.5, 0.95), validation=crowd))
    assert "◦" in text(cells, 5)
    assert "•" in text(cells, 0)


def test_a_ghost_is_faint_seen_on_bands_and_behind_lines() -> None:
    ghost = Series("a", BLUE, level(0.55), faint=True)
    faint = colours(drawn(ghost))
    assert len(faint) == 1
    assert BLUE not in faint
    assert colours(drawn(Series("b", ORANGE, band=level(0.0, 1.0)), ghost)) == faint
    assert colours(drawn(Series("b", ORANGE, level(0.55)), ghost)) == {ORANGE}


def test_off_the_scale_is_marked_at_its_column() -> None:
    polyline = level(0.5)
    polyline.high[20], polyline.low[40] = 7.0, -7.0
    cells = drawn(Series("a", BLUE, polyline))
    assert text(cells, 0).find("▲") == 10
    assert text(cells, HEIGHT - 1).find("▼") == 20


def test_a_mark_is_a_line_with_its_label_beside_the_top() -> None:
    cells = drawn(marks=(Mark(0.35, ORANGE, "lr 0.02"),))
    assert text(cells, 0) == " " * 10 + "┊lr 0.02" + " " * 12
    assert text(cells, 5) == " " * 10 + "┊" + " " * 19
    assert cells.palette[cells.inks[0, 11]] == ORANGE


def test_a_label_goes_to_the_left_where_there_is_no_room_on_the_right() -> None:
    assert text(drawn(marks=(Mark(0.95, ORANGE, "lr 0.02"),)), 0).strip() == "lr 0.02┊"


@pytest.mark.parametrize("label", ["", "a label that is too long for it", "\x1b[31m" * 20])
def test_a_label_without_room_is_left_out(label: str) -> None:
    assert text(drawn(marks=(Mark(0.5, ORANGE, label),)), 0).strip() == "┊"


def test_labels_do_not_overlap_each_other_or_a_line() -> None:
    marks = (Mark(0.35, ORANGE, "batch 64"), Mark(0.42, BLUE, "batch 128"))
    assert text(drawn(marks=marks), 0) == "  batch 64┊ ┊batch 128" + " " * 8
    assert "batch" not in text(drawn(Series("a", BLUE, level(0.99)), marks=marks), 0)


def test_labels_that_come_together_stand_below_each_other() -> None:
    marks = tuple(
        Mark(x, ORANGE, f"batch {size}") for x, size in ((0.35, 64), (0.39, 128), (0.42, 256))
    )
    cells = drawn(marks=marks)
    told = " ".join(text(cells, row) for row in range(3))
    assert all(f"batch {size}" in told for size in (64, 128, 256))


def test_a_label_hides_no_off_scale_mark() -> None:
    cells = drawn(Series("a", BLUE, reach=level(0.4, 3.0)), marks=(Mark(0.5, ORANGE, "lr 0.02"),))
    assert text(cells, 0).count("▲") >= WIDTH - 1
    assert "lr 0.02" in text(cells, 1)


def test_the_deeper_of_two_lines_lies_behind_and_a_ghost_before_both() -> None:
    front, back = Series("a", BLUE, level(0.55), depth=1), Series("b", ORANGE, level(0.55), depth=2)
    assert colours(drawn(front, back)) == colours(drawn(back, front)) == {BLUE}
    ghost = Series("a", BLUE, level(0.55), faint=True, depth=1)
    assert colours(drawn(ghost, front, back)) == colours(drawn(ghost))
    assert colours(drawn(Series("a", BLUE, level(0.55), depth=1), replace(ghost, depth=2))) == {
        BLUE
    }


def test_a_mark_hides_no_raw_loss() -> None:
    spike = drawn(Series("a", BLUE, level(0.1, 0.9), depth=1), marks=(Mark(0.5, ORANGE),))
    assert ORANGE not in {spike.palette[ink] for ink in spike.inks[5]}


def test_epoch_lines_lie_behind_everything_and_inside_the_window() -> None:
    series = (Series("a", BLUE, level(0.5)),)
    drawn = paint(Picture(UNIT, UNIT, series, rules=(0.0, 0.5, 2.0)), 40, 12, INKS, BLACK, [""])
    faint = [drawn.palette[ink] == INKS.grid for ink in drawn.inks[1]]
    cells = zip(text(drawn, 1), faint, strict=True)
    columns = [at for at, cell in enumerate(cells) if cell == ("┊", True)]
    assert columns == [6 + 34 // 2]
    middle = drawn.inks[:, columns[0]]
    assert BLUE in {drawn.palette[ink] for ink in middle}


@pytest.mark.parametrize("x", [-1.0, 2.0, float("nan")])
def test_a_mark_outside_is_not_drawn(x: float) -> None:
    assert colours(drawn(marks=(Mark(x, ORANGE, "lr"),))) == set()


def test_what_is_kept_from_frame_to_frame_is_nothing_of_another_picture() -> None:
    layers, ticks = Layers(), ((0.5, "half"),)
    series = Series("a", BLUE, level(0.5), level(0.2, 0.9), points=dot(0.5, 0.5))
    first = Picture(UNIT, UNIT, (series,), rules=(0.5,))
    other = replace(INKS, grid="#444444")
    near, palette = replace(series, points=dot(0.51, 0.8), line=level(0.4)), [""]
    for picture, inks, ours, width in [
        (first, INKS, palette, 40),
        (first, INKS, ["", "#123456"], 40),
        (first, other, palette, 40),
        (replace(first, series=(near,)), other, palette, 40),
        (replace(first, rules=()), other, palette, 40),
        (replace(first, marks=(Mark(0.3, ORANGE, "lr"),)), other, palette, 40),
        (replace(first, series=(replace(near, band=level(0.1, 0.5)),)), other, palette, 40),
        (replace(first, series=(replace(near, strays=dot(0.5, 0.9)),)), other, palette, 40),
        (replace(first, x=Scale(0.0, 2.0, ticks)), other, palette, 40),
        (first, other, palette, 30),
    ]:
        fresh = paint(picture, width, 12, inks, BLACK, [""])
        kept = paint(picture, width, 12, inks, BLACK, ours, layers)
        assert kept.palette is ours
        assert [[*kept.runs(row)] for row in range(12)] == [[*fresh.runs(row)] for row in range(12)]


# --- Cells ----------------------------------------------------------------------------------------


def test_what_is_drawn_in_a_part_is_drawn_in_the_whole() -> None:
    cells = Cells.blank(6, 3)
    cells.part(Room(2, 1, 3, 2, True)).write(0, 1, "ab", BLUE)
    assert [text(cells, row) for row in range(3)] == ["      ", "   ab ", "      "]


def test_runs_are_as_few_as_the_colours_allow() -> None:
    cells = Cells.blank(8, 1)
    cells.write(0, 1, "ab", BLUE)
    cells.write(0, 3, "cd", BLUE)
    cells.write(0, 5, "e", ORANGE)
    cells.grounds[0, 2] = cells.ink(WHITE)
    assert list(cells.runs(0)) == [
        (" ", "", ""),
        ("a", BLUE, ""),
        ("b", BLUE, WHITE),
        ("cd", BLUE, ""),
        ("e", ORANGE, ""),
        ("  ", "", ""),
    ]


def test_changes_are_the_spans_that_differ() -> None:
    before, after = Cells.blank(40, 3), Cells.blank(40, 3)
    after.palette = before.palette
    assert list(after.changes(before)) == []
    after.write(1, 3, "x", BLUE)
    after.write(1, 6, "y", BLUE)
    after.write(1, 30, "z", BLUE)
    after.grounds[2, 5] = after.ink(ORANGE)
    assert list(after.changes(before)) == [(1, 3, 7), (1, 30, 31), (2, 5, 6)]


# --- Colours --------------------------------------------------------------------------------------


def test_blend_mixes_by_share() -> None:
    assert blend("#ff0000", "#000000", 0.0) == "#000000"
    assert blend("#ff0000", "#000000", 1.0) == "#ff0000"
    assert blend("#ff8000", "#000000", 0.5) == "#804000"


def test_two_marks_in_one_column_are_told_in_their_order() -> None:
    marks = (Mark(50.0, "#ffffff", "first"), Mark(50.0, "#ffffff", "second"))
    picture = Picture(x=Scale(0.0, 100.0), y=Scale(0.0, 1.0), marks=marks)
    cells = Cells.blank(60, 8, [])
    compose(picture, cells, "#000000")
    top = "".join(map(chr, cells.characters[0]))
    assert top.index("first") < top.index("second")


# --- The crosshair --------------------------------------------------------------------------------


def crossed(picture: Picture, x: float) -> tuple[Cells, Cells]:
    """A chart with its frame, without the crosshair and with it."""
    before = paint(picture, WIDTH + 6, HEIGHT + 2, INKS, BLACK, [""])
    return before, with_cursor(before, picture, x, WHITE)


def test_the_crosshair_changes_one_column_and_hides_no_data() -> None:
    line, band, points = level(0.55), level(0.2, 0.9), dot(0.51, 0.35)
    bars = dot(0.51, 0.72)
    picture = Picture(UNIT, UNIT, (Series("a", BLUE, line, band, points, bars=bars),))
    before, after = crossed(picture, 0.51)
    changed = np.argwhere((before.characters != after.characters) | (before.inks != after.inks))
    assert set(changed[:, 1].tolist()) == {6 + 15}
    column = [
        (chr(after.characters[row, 21]), after.palette[after.inks[row, 21]]) for row in range(11)
    ]
    assert column[0] == ("│", WHITE)
    assert column[10] == ("┷", WHITE)
    was = [chr(character) for character in before.characters[:, 21]]
    kept = [row for row in range(10) if "⠁" <= was[row] <= "⣿" or was[row] == "◆"]
    assert len(kept) >= 3
    assert (after.grounds == before.grounds).all()
    assert all(column[row][0] == was[row] for row in kept)
    assert column[4][1] == BLUE, "the line"
    assert column[5][0] == "│", "the band"


def test_in_a_cloud_of_dots_the_crosshair_is_lit() -> None:
    picture = Picture(UNIT, UNIT, (Series("a", BLUE, level(0.0, 1.0)),))
    _, after = crossed(picture, 0.51)
    assert {after.palette[ink] for ink in after.inks[1:9, 21]} == {WHITE}


@pytest.mark.parametrize("x", [-0.1, 1.1])
def test_a_crosshair_beside_the_window_is_not_drawn(x: float) -> None:
    before, after = crossed(Picture(UNIT, UNIT, (Series("a", BLUE, level(0.5)),)), x)
    assert after is before
