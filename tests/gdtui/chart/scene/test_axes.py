"""Ticks that a person would choose, and ranges that do not jitter."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gdtui.chart.scene.axes import drawable, grow, settle, x_scale, y_scale
from gdtui.chart.scene.picture import Scale
from gdtui.chart.scene.scales.ticks import label, multiples, nice_ticks


def labels(low: float, high: float, count: int, log: bool = False) -> list[str]:
    return [text for _, text in nice_ticks(low, high, count, log)]


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0, 1, 5, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0, 40_000, 4, ["0", "10k", "20k", "30k", "40k"]),
        (0, 1_500, 3, ["0", "500", "1k", "1.5k"]),
        (0, 2_500_000, 5, ["0", "500k", "1M", "1.5M", "2M", "2.5M"]),
        (0.31, 0.74, 6, ["0.4", "0.5", "0.6", "0.7"]),
        (-3, 3, 3, ["-2", "0", "2"]),
        (0, 1e-12, 2, ["0", "5e-13", "1e-12"]),
        (0, 1e30, 2, ["0", "5e29", "1e30"]),
        (1e6, 1e6 + 10, 4, ["1000000", "1000005", "1000010"]),
        (0, 0.0006, 3, ["0", "2e-4", "4e-4", "6e-4"]),
    ],
)
def test_linear_ticks(low: float, high: float, count: int, expected: list[str]) -> None:
    assert labels(low, high, count) == expected


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0.5, 20, 8, ["0.5", "1", "2", "5", "10", "20"]),
        (0.01, 10, 4, ["0.01", "0.1", "1", "10"]),
        (1e-5, 1e-3, 3, ["1e-5", "1e-4", "0.001"]),
        (0.3, 0.7, 6, ["0.3", "0.4", "0.5", "0.6", "0.7"]),
        (1, 1e6, 8, ["1", "10", "100", "1k", "10k", "100k", "1M"]),
    ],
)
def test_log_ticks(low: float, high: float, count: int, expected: list[str]) -> None:
    assert labels(low, high, count, log=True) == expected


NUMBERS = st.floats(-1e30, 1e30) | st.sampled_from([0.0, 1e-12, 1e30, -1e-300])


@given(NUMBERS, NUMBERS, st.integers(0, 20), st.booleans())
@example(1e-100, 1e-100, 0, False)
def test_ticks_are_few_distinct_ascending_and_inside(
    low: float, high: float, count: int, log: bool
) -> None:
    scale = drawable(Scale(low, high, log=log))
    ticks = nice_ticks(scale.low, scale.high, count, log)
    values = [value for value, _ in ticks]
    margin = (scale.high - scale.low) * 1e-6
    assert len(ticks) <= 4 * max(count, 2) + 1
    assert values == sorted(set(values))
    assert all(scale.low - margin <= value <= scale.high + margin for value in values)
    assert all(0 < len(text) <= 18 for _, text in ticks)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_range_still_gives_ticks(bad: float) -> None:
    assert nice_ticks(bad, 3.0, 4)
    assert nice_ticks(3.0, bad, 4, log=True)
    assert nice_ticks(bad, bad, 4)
    assert nice_ticks(5.0, 5.0, 4)


def test_label_keeps_the_digits_that_the_step_needs() -> None:
    assert label(0.5, 0.25) == "0.5"
    assert label(0.5, 0.01) == "0.50"
    assert label(1e-17, 0.1) == "0"


# --- x --------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1e12), min_size=2, max_size=50))
def test_x_only_grows_holds_the_data_and_takes_few_steps(ends: list[float]) -> None:
    shown, steps = 0.0, set()
    for end in sorted(ends):
        high = grow(shown, end)
        assert high >= shown
        assert high >= end * (1 - 1e-9) - 1e-99
        shown = high
        steps.add(high)
    assert shown <= max(1.0, max(ends) * 1.34)


def test_x_does_not_move_while_the_data_fit() -> None:
    shown = grow(None, 41_000)
    assert shown == 50_000
    assert {grow(shown, end) for end in range(41_000, 50_001, 500)} == {shown}
    assert grow(shown, 50_001) == 60_000


def test_x_ends_exactly_where_a_round_run_ends() -> None:
    assert grow(30_000, 39_999) == 40_000
    assert grow(30_000, 40_000) == 40_000


@pytest.mark.parametrize("data", [None, math.nan, 0.0, -1.0])
def test_x_without_data_stays(data: float | None) -> None:
    assert grow(80.0, data) == 80.0
    assert grow(None, data) == 1.0


# --- y --------------------------------------------------------------------------------------------


def test_an_empty_x_axis_has_no_ticks() -> None:
    """Those of a range that was made up would be read as the run's."""
    assert x_scale(0.0, 100).ticks == ()
    assert x_scale(24_000.0, 100).ticks


def test_y_starts_at_zero_when_the_losses_come_near_it() -> None:
    assert settle(None, 0.08, 0.9) == (0.0, 0.95)
    low, high = settle(None, 0.61, 0.69)
    assert 0.5 < low <= 0.61
    assert 0.69 <= high < 0.8


def test_y_expands_at_once_at_the_end_that_is_left() -> None:
    assert settle((0.0, 1.0), 0.1, 3.7) == (0.0, settle(None, 0.1, 3.7)[1])
    assert settle((0.2, 1.0), 0.5, 3.0)[0] == 0.2
    low, high = settle((0.2, 1.0), -0.5, 0.9)
    assert low <= -0.5
    assert high == 1.0


def test_y_stays_when_the_data_use_a_little_less() -> None:
    shown = settle(None, 0.1, 1.0)
    for high in (0.99, 0.95, 0.9, 0.85):
        assert settle(shown, 0.1, high) == shown


def test_y_shrinks_when_a_fifth_of_it_is_not_needed() -> None:
    shown = settle(None, 0.0, 10.0)
    assert settle(shown, 0.0, 7.5) == settle(None, 0.0, 7.5) != shown
    assert settle(shown, 0.0, 0.9) == settle(None, 0.0, 0.9)


@given(st.floats(1e-6, 1e6), st.floats(1, 1e6), st.booleans())
def test_y_settles_at_once(low: float, ratio: float, log: bool) -> None:
    first = settle(None, low, low * ratio, log)
    assert settle(first, low, low * ratio, log) == first


@given(NUMBERS, NUMBERS, st.booleans())
def test_y_is_always_a_range_that_holds_the_data(a: float, b: float, log: bool) -> None:
    low, high = settle(None, min(a, b), max(a, b), log)
    assert low < high
    if not log:
        slack = 1e-9 * max(abs(a), abs(b)) + 1e-99
        assert low <= min(a, b) + slack
        assert high >= max(a, b) - slack
    elif a > 0 and b > 0 and min(a, b) > 1e-90:
        assert 0 < low <= min(a, b) * (1 + 1e-9)
        assert high >= max(a, b) * (1 - 1e-9)


def test_a_loss_that_hardly_varies_is_drawn_as_constant_not_its_rounding() -> None:
    low, high = settle(None, 0.8, 0.8 + 3e-7)
    assert high - low > 0.1
    assert labels(low, high, 4)[0] in ("0.7", "0.70", "0.72", "0.75")
    assert settle(None, 0.8, 0.8 + 1e-4)[1] < 0.81


def test_a_log_axis_never_reaches_zero() -> None:
    assert settle(None, 0.0, 0.9, log=True)[0] > 0
    assert settle((0.0, 1.0), 0.2, 0.9, log=True)[0] > 0
    assert settle(None, -3.0, -1.0, log=True) == (0.1, 1.0)
    assert y_scale((-1.0, 5.0), 12, log=True).low > 0


@pytest.mark.parametrize("bad", [None, math.nan, math.inf])
def test_y_without_data_stays(bad: float | None) -> None:
    assert settle((0.2, 0.7), bad, bad) == (0.2, 0.7)
    assert settle(None, bad, 3.0) == (0.0, 1.0)


# --- Scales ---------------------------------------------------------------------------------------


def test_a_scale_has_a_tick_at_either_end_even_where_there_is_little_room() -> None:
    assert [text for _, text in x_scale(40_000, 18).ticks] == ["0", "20k", "40k"]
    assert len(y_scale((0.0, 1.0), 4).ticks) >= 2


def test_more_room_gives_more_ticks() -> None:
    assert len(x_scale(40_000, 150).ticks) > len(x_scale(40_000, 30).ticks)
    assert len(y_scale((0.0, 1.0), 30).ticks) > len(y_scale((0.0, 1.0), 9).ticks)


def test_sound_leaves_a_good_scale_alone() -> None:
    good = Scale(0.0, 1.0, ticks=((0.0, "0"),), title="loss")
    assert drawable(good) is good
    assert drawable(Scale(2.0, 1.0)).low == 1.0


# --- Epoch lines ----------------------------------------------------------------------------------


def test_epoch_lines_are_the_multiples_inside_the_window() -> None:
    assert multiples(2000, 0.0, 8000.0, 100) == (2000, 4000, 6000, 8000)
    assert multiples(2000, 4000.0, 9000.0, 100) == (6000, 8000)


@pytest.mark.parametrize(("high", "cells"), [(26_000, 400), (24_000, 71), (8000, 23)])
def test_of_too_many_epoch_lines_none_is_drawn(high: float, cells: int) -> None:
    assert multiples(2000, 0.0, high, cells) == ()
    assert multiples(2000, 0.0, high - 2000, cells + 1) != ()


@pytest.mark.parametrize("step", [0.0, -1.0, math.nan, math.inf])
def test_an_epoch_of_no_length_has_no_lines(step: float) -> None:
    assert multiples(step, 0.0, 10.0, 100) == ()
