"""Durations as they are typed: units, sums of them, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.keys.durations import SECONDS, parse_duration, parse_wait


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90), ("0", 0), ("2.5", 2.5), (".5", 0.5), (" 10m ", 600), ("45s", 45),
        ("250ms", 0.25),
        ("1.5h", 5400), ("1h30m", 5400), ("1d12h", 129_600), ("2w", 1_209_600), ("1m0.5s", 60.5),
    ],
)  # fmt: skip
def test_a_plain_number_is_seconds_and_units_add_up(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "s", "-5", "5 m", "10M", "30y", "1e3", "nan", "inf", "30m1h", "1m1m", "1h30", "٣s",
     "9" * 400],
)  # fmt: skip
def test_anything_else_is_not_a_duration(text: str) -> None:
    assert parse_duration(text) is None


def test_in_a_script_of_keys_a_number_without_a_unit_is_no_wait() -> None:
    assert parse_wait("8") is None
    assert parse_wait("8s") == 8


@given(st.dictionaries(st.sampled_from([*SECONDS]), st.integers(0, 10**6), min_size=1))
def test_every_sum_of_units_from_long_to_short_is_read(parts: dict[str, int]) -> None:
    units = [unit for unit in SECONDS if unit in parts]
    text = "".join(f"{parts[unit]}{unit}" for unit in units)
    assert parse_duration(text) == sum(parts[unit] * SECONDS[unit] for unit in units)
