"""Keys that fingers press are shown one by one; of a flood some are."""

from gdtui.keys.flood import KeyFlood


class Seconds:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def shown(flood: KeyFlood, seconds: Seconds, keys: int, a_second: float) -> int:
    """How many of so many keys, at that rate, are shown at once."""
    count = 0
    for _ in range(keys):
        seconds.now += 1 / a_second
        count += flood.may_show()
    return count


def test_keys_of_a_typist_are_all_shown() -> None:
    seconds = Seconds()
    flood = KeyFlood(seconds)
    assert [flood.may_show() for _ in range(8)] == [True] * 8, "a burst"
    seconds.now += 2
    assert shown(flood, seconds, 300, a_second=9) == 300


def test_of_a_flood_some_are_shown_however_fast_it_comes() -> None:
    for rate in (30, 1_000, 100_000):
        seconds = Seconds()
        flood = KeyFlood(seconds)
        count = shown(flood, seconds, 10_000, a_second=rate)
        assert count <= 8 + 10 * (10_000 / rate) + 1
        seconds.now += 2
        assert flood.may_show(), "and the next one at once"
