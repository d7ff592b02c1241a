"""The rate limit of a client: a burst at once, and then a steady rate."""

from engine.session.host.connection import RateLimit


def test_after_a_burst_work_is_accepted_at_a_steady_rate() -> None:
    now = [10.0]
    limit = RateLimit(lambda: now[0])
    for _ in range(int(RateLimit.BURST)):
        limit.spend(1)
        assert not limit.is_used_up
    limit.spend(20)
    assert limit.is_used_up
    assert limit.rests_until == 10 + 20 / RateLimit.RATE
    now[0] = limit.rests_until
    assert not limit.is_used_up


def test_a_rest_saves_no_more_than_a_burst() -> None:
    now = [0.0]
    limit = RateLimit(lambda: now[0])
    now[0] = 1e6
    limit.spend(RateLimit.BURST + 1)
    assert limit.is_used_up


def test_a_held_key_is_never_limited_and_a_flood_takes_a_small_part_of_a_core() -> None:
    """A key repeats 30 times a second; a message takes about 0.2 ms."""
    assert 30 < RateLimit.RATE < 1_000
