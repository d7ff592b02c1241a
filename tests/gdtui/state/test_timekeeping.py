"""The clock counts each second in which anything trained once, in whatever order they come."""

from hypothesis import given
from hypothesis import strategies as st

from gdtui.state.timekeeping import Timekeeper

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)
NAMES = st.sampled_from("abc")


@given(SPANS, st.dictionaries(NAMES, st.integers(0, 60)))
def test_every_second_counts_once(spans: list[tuple[int, int]], going: dict[str, int]) -> None:
    time = Timekeeper()
    trained: set[int] = set()
    for begin, end in spans:
        time.tell("a", goes=True, at=begin)
        time.tell("a", goes=False, at=end)
        trained |= set(range(begin, end))
    for name, begin in going.items():
        time.tell(name, goes=True, at=begin)
        trained |= set(range(begin, 70))
    assert time.seconds(70) == len(trained)


def test_variants_read_one_after_the_other_trained_at_once() -> None:
    time = Timekeeper()
    for name in "abc":
        time.tell(name, goes=True, at=10)
        time.tell(name, goes=False, at=13)
    assert time.seconds(99) == 3


def test_whoever_goes_twice_goes_since_the_first() -> None:
    time = Timekeeper()
    time.tell("a", goes=True, at=10)
    time.tell("a", goes=True, at=12)
    assert time.seconds(13) == 3
