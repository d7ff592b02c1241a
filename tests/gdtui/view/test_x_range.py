"""The arithmetic of the window: what zooming, panning and following do to what is seen."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gdtui.view.x_range import (
    STEPS,
    WHOLE,
    DataExtent,
    FixedRange,
    FollowNewest,
    WholeRange,
    XRange,
    XWindow,
    follow_newest,
    on_another_axis,
    panned,
    visible_range,
    zoomed,
)

GROUND = DataExtent(end=40_000.0, tail=32_000.0, least=8.0)
shares = st.floats(0.0, 1.0)


@st.composite
def grounds(draw: st.DrawFn) -> DataExtent:
    end = draw(st.floats(1.0, 1e9))
    return DataExtent(end, draw(st.floats(0.0, end)), least=draw(st.floats(1e-3, 8.0)))


@st.composite
def places(draw: st.DrawFn) -> tuple[DataExtent, XWindow]:
    """Any ground, and a window that keys and mouse can lead to."""
    around = draw(grounds())
    window: XWindow = WHOLE
    for _ in range(draw(st.integers(0, 6))):
        seen = visible_range(window, around)
        if draw(st.booleans()):
            at = seen.low + draw(shares) * seen.width
            window = zoomed(seen, around, at, draw(st.sampled_from([0.5, 0.8, 1.25, 2.0])))
        else:
            window = panned(seen, around, draw(st.floats(-1, 1)) * seen.width)
    return around, window


@given(places())
def test_wherever_one_goes_there_is_a_window_on_the_axis(place: tuple[DataExtent, XWindow]) -> None:
    around, window = place
    seen = visible_range(window, around)
    assert seen.low >= -1e-9 * around.end
    assert min(around.least, around.end) * 0.999 <= seen.width <= around.end * 1.001
    if isinstance(window, FixedRange):
        assert seen.high <= around.end * (1 + 1e-9)
    if isinstance(window, FollowNewest):
        assert seen.high >= around.tail
        assert seen.low <= around.tail


@settings(suppress_health_check=[HealthCheck.filter_too_much])  # many places lead to the newest
@given(places(), shares, st.sampled_from([0.5, 0.8, 1.25]))
def test_what_is_under_the_pointer_stays_there(
    place: tuple[DataExtent, XWindow], share: float, factor: float
) -> None:
    around, window = place
    seen = visible_range(window, around)
    at = seen.low + share * seen.width
    after = zoomed(seen, around, at, factor)
    assume(isinstance(after, FixedRange))
    now = visible_range(after, around)
    is_at_an_edge = now.low == 0 or now.high == pytest.approx(around.end)
    assert is_at_an_edge or (at - now.low) / now.width == pytest.approx(share, abs=1e-6)
    assert now.low <= at * (1 + 1e-9)
    assert at <= now.high * (1 + 1e-9)


@given(st.floats(1.0, 1e9), st.floats(0.0, 1e9), st.floats(0.0, 0.999))
def test_a_window_that_follows_holds_the_newest_and_moves_in_steps(
    width: float, tail: float, more: float
) -> None:
    def at(end: float) -> XRange:
        return visible_range(FollowNewest(width), DataExtent(max(end, width), end, 1.0))

    before, after = at(tail), at(tail + more * width / STEPS)
    assert before.low <= tail <= before.high
    assert before.high - max(tail, width) <= 1.001 * width / STEPS
    assert before.width == pytest.approx(width)
    steps = (after.high - before.high) / (width / STEPS)
    assert steps == pytest.approx(0, abs=1e-3) or steps == pytest.approx(1, abs=1e-3)


@given(grounds(), shares, st.floats(0.01, 1.0))
def test_panning_there_and_back_is_nothing(around: DataExtent, low: float, share: float) -> None:
    width = around.end / 4
    seen = XRange(low * (around.end - width), low * (around.end - width) + width)
    there = panned(seen, around, -share * width)
    assert isinstance(there, FixedRange)
    moved = seen.low - there.low
    assert moved == pytest.approx(min(share * width, seen.low), abs=1e-6 * around.end)
    back = panned(visible_range(there, around), around, moved)
    assert isinstance(back, FollowNewest) or back.low == pytest.approx(
        seen.low, abs=1e-6 * around.end
    )
    assume(abs(seen.high - around.tail) > 1e-6 * around.end)
    assert isinstance(back, FollowNewest) == (seen.high > around.tail)


def test_zooming_at_the_end_of_the_data_follows_them_and_elsewhere_it_stands_still() -> None:
    whole = visible_range(WHOLE, GROUND)
    assert zoomed(whole, GROUND, GROUND.tail, 0.5) == FollowNewest(20_000.0)
    assert zoomed(whole, GROUND, 39_000.0, 0.5) == FollowNewest(20_000.0), (
        "right of the newest there is nothing"
    )
    assert zoomed(whole, GROUND, 10_000.0, 0.5) == FixedRange(5_000.0, 25_000.0)
    tail = visible_range(FollowNewest(20_000.0), GROUND)
    assert zoomed(tail, GROUND, GROUND.tail, 0.5) == FollowNewest(10_000.0)
    assert zoomed(tail, GROUND, 20_000.0, 0.5) == FixedRange(16_000.0, 26_000.0)
    assert zoomed(XRange(0.0, 10_000.0), GROUND, 10_000.0, 0.5) == FixedRange(5_000.0, 10_000.0)


def test_zooming_out_comes_to_the_newest_and_to_the_whole() -> None:
    assert zoomed(XRange(20_000.0, 30_000.0), GROUND, 25_000.0, 2) == FollowNewest(20_000.0)
    assert zoomed(XRange(10_000.0, 30_000.0), GROUND, 20_000.0, 2) == WHOLE


def test_there_is_an_end_to_zooming_in() -> None:
    window: XWindow = WHOLE
    for _ in range(60):
        window = zoomed(visible_range(window, GROUND), GROUND, 12_345.0, 0.5)
    seen = visible_range(window, GROUND)
    assert seen.width == pytest.approx(8.0)
    assert seen.low <= 12_345.0 <= seen.high


def test_of_the_whole_nothing_can_be_moved_and_a_part_is_followed() -> None:
    whole = visible_range(WHOLE, GROUND)
    assert panned(whole, GROUND, 5_000.0) == WHOLE
    assert follow_newest(whole, GROUND) == FollowNewest(10_000.0)
    assert follow_newest(XRange(1_000.0, 3_000.0), GROUND) == FollowNewest(2_000.0)


def test_another_axis_keeps_the_share_of_the_tail_and_no_fixed_part() -> None:
    updates = DataExtent(end=400.0, tail=320.0, least=4.0)
    assert on_another_axis(FollowNewest(10_000.0), GROUND, updates) == FollowNewest(100.0)
    assert on_another_axis(FollowNewest(8.0), GROUND, updates) == FollowNewest(4.0)
    assert isinstance(on_another_axis(FixedRange(1.0, 2.0), GROUND, updates), WholeRange)
    assert on_another_axis(WHOLE, GROUND, updates) == WHOLE
