"""The time left: right for even work, quick to follow a change of speed, sane for any news."""

import math
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replay_logs import Clock

from gdtui.view.text.progress.time_left import TimeLeft, longest


def told(news: list[tuple[float, float]]) -> tuple[Clock, TimeLeft]:
    """An estimate after news of (seconds since the start, share)."""
    clock = Clock()
    start, left = clock.now, TimeLeft(clock)
    for at, share in news:
        clock.now = start + at
        left.tell(share)
    return clock, left


def test_nothing_is_estimated_from_one_piece_of_news_nor_from_a_moment() -> None:
    assert TimeLeft(Clock()).seconds is None
    assert told([(0, 0.0), (9, 0.0)])[1].seconds is None
    assert told([(9, 0.5)])[1].seconds is None
    assert told([(9, 0.5), (9.5, 0.6)])[1].seconds is None


def test_even_work_is_estimated_exactly_and_loading_does_not_count() -> None:
    _, left = told([(0, 0.0), *((30 + at, (at + 1) / 200) for at in range(50))])
    assert left.seconds == pytest.approx(150)


def test_it_counts_down_between_news_and_grows_once_they_are_overdue() -> None:
    clock, left = told([(10, 0.1), (20, 0.2), (30, 0.3)])
    assert left.seconds == pytest.approx(70)
    clock.now += 10
    assert left.seconds == pytest.approx(60)
    seen = []
    for _ in range(3):
        clock.now += 20
        seen.append(left.seconds)
    assert all(seconds is not None for seconds in seen)
    assert 60 < seen[0] < seen[1] < seen[2]  # type: ignore[operator]


def test_a_second_phase_at_another_speed_is_soon_known() -> None:
    slow = [(at, at * 0.001) for at in range(1, 101)]
    fast = [(100 + at, 0.1 + at * 0.01) for at in range(1, 61)]
    _, left = told(slow + fast)
    assert left.seconds == pytest.approx(30, rel=0.05)


def test_what_is_done_takes_no_more_time() -> None:
    assert told([(1, 1.0)])[1].seconds == 0
    assert told([(1, 0.5), (2, 1.0)])[1].seconds == 0


def test_a_share_that_falls_starts_anew() -> None:
    _, left = told([(1, 0.1), (5, 0.9), (6, 0.1)])
    assert left.seconds is None
    assert told([(1, 0.1), (5, 0.9), (6, 0.0)])[1].seconds is None


def test_a_long_time_takes_little_memory_and_is_still_exact() -> None:
    clock = Clock()
    left = TimeLeft(clock)
    tracemalloc.start()
    for step in range(1, 50_001):
        clock.now += 0.05
        left.tell(step / 100_000)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert left.seconds == pytest.approx(2500, rel=1e-6)
    assert size < 50_000


def test_the_last_part_decides_unless_one_is_not_known() -> None:
    assert longest([1.0, 5.0, 0.0]) == 5
    assert longest([1.0, None]) is None
    assert longest([]) == 0


@given(
    st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 1)), max_size=30),
    st.floats(0, 1e6),
)
def test_whatever_the_news_the_estimate_is_a_time_or_nothing(
    news: list[tuple[float, float]], later: float
) -> None:
    clock, left = told(sorted(news, key=lambda each: each[0]))
    clock.now += later
    seconds = left.seconds
    assert seconds is None or (seconds >= 0 and not math.isnan(seconds))
