"""Wilson's interval against published values."""

import pytest

from engine.statistics.intervals import wilson


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(count: int, n: int, low: float, high: float) -> None:
    assert wilson(count, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_is_symmetric_and_stays_inside() -> None:
    for count in range(21):
        low, high = wilson(count, 20)
        other_low, other_high = wilson(20 - count, 20)
        assert (1 - low, 1 - high) == pytest.approx((other_high, other_low))
        assert 0 <= low <= count / 20 <= high <= 1


@pytest.mark.parametrize(("count", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_wilson_refuses_what_is_no_count(count: int, n: int) -> None:
    with pytest.raises(ValueError, match="of"):
        wilson(count, n)
