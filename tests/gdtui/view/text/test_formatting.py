"""Numbers and settings as short text."""

import pytest

from engine.settings import FULL, VariantSettings
from gdtui.view.text import formatting

SMALL, LARGE = VariantSettings(batch_size=64), VariantSettings(batch_size=128)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.6241, "0.624"), (0.0312, "0.0312"), (12345.6, "12,346"), (float("nan"), "–"),
     (float("inf"), "∞"), (0, "0"), (2.5e-7, "2.50e-7"), (3e9, "3.00e9")],
)  # fmt: skip
def test_numbers_are_short(value: float, expected: str) -> None:
    assert formatting.number(value) == expected


def test_a_difference_names_what_changed() -> None:
    after = VariantSettings(batch_size=FULL, lr=0.02)
    assert formatting.difference(SMALL, after, 2000) == "batch 64→full, lr 0.01→0.02"
    assert formatting.difference(SMALL, SMALL, 2000) == ""


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (3 << 20, "3.0 MiB"),
        (5 << 40, "5120.0 GiB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert formatting.readable_size(size) == text
