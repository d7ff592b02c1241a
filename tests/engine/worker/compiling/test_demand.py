"""When a compiled step is worth its build, from chunks as a log holds them."""

import pytest
from msgspec.structs import replace
from plain_chunks import plain_chunk

from engine.worker.compiling.demand import (
    EagerSpeed,
    is_worth_a_build,
    least_operations,
    most_updates,
)


def speed_of(per_second: float, seconds: float) -> EagerSpeed:
    """The speed after so many seconds of training, in slices of 0.1 s."""
    speed = EagerSpeed()
    count = max(1, round(per_second * 0.1))
    for k in range(round(seconds / 0.1)):
        chunk = plain_chunk(1 + k * count, count, n=10**9)
        speed.add(replace(chunk, duration=count / per_second), count / per_second / 2)
    return speed


@pytest.mark.parametrize(
    ("seconds", "left", "pace", "is_worth"),
    [
        (2.0, 61.0, None, True),
        (2.0, 59.0, None, False),
        (2.0, 3600.0, 1.0, False),  # it waits for its pace, and would wait longer
        (0.5, 3600.0, None, False),  # its speed is not known yet
    ],
)
def test_auto(seconds: float, left: float, pace: float | None, is_worth: bool) -> None:
    speed = speed_of(4_000, seconds)
    assert is_worth_a_build(speed, left * speed.per_second, pace) is is_worth


def test_the_speed_is_that_of_the_eager_step_lately() -> None:
    speed = speed_of(1_000, 3)
    slow = plain_chunk(10**6, 200, n=10**9)
    for _ in range(3):
        speed.add(replace(slow, duration=1.0), 0.5)
        speed.add(replace(slow, duration=1e-3, compiled=16), 1e-3)
    assert speed.per_second == pytest.approx(200, rel=0.01)


@pytest.mark.parametrize(
    ("per_second", "operations", "most"), [(4_000, 5, None), (120, 166, 8), (2, 10_000, 1)]
)
def test_slow_updates_must_have_many_operations_and_get_short_calls(
    per_second: float, operations: int, most: int | None
) -> None:
    speed = speed_of(per_second, 3)
    assert least_operations(speed) == operations
    assert most_updates(speed) == most
