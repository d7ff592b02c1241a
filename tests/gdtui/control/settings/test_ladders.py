"""The rungs that keys go to: powers of two, 1-2-5, paces that end at free."""

import pytest

from engine.settings import FULL, BatchSize
from gdtui.control.settings import ladders


@pytest.mark.parametrize(
    ("size", "step", "expected"),
    [
        (1, 1, 2),
        (64, 1, 128),
        (1024, 1, FULL),
        (1500, 1, FULL),
        (48, 1, 64),
        (FULL, 1, None),
        (5000, 1, None),
        (FULL, -1, 1024),
        (48, -1, 32),
        (64, -1, 32),
        (1, -1, None),
    ],
)
def test_batch_sizes_go_by_powers_of_two_below_all_samples(
    size: BatchSize, step: int, expected: BatchSize | None
) -> None:
    assert ladders.next_batch_size(size, 2000, step) == expected


def test_a_power_of_two_that_is_all_samples_is_called_full() -> None:
    assert ladders.next_batch_size(32, 64, 1) == FULL
    assert ladders.next_batch_size(FULL, 64, -1) == 32


@pytest.mark.parametrize(
    ("lr", "step", "expected"),
    [
        (0.01, 1, 0.02),
        (0.02, 1, 0.05),
        (0.05, 1, 0.1),
        (0.1, -1, 0.05),
        (0.03, 1, 0.05),
        (0.03, -1, 0.02),
        (1e38, -1, 5e37),
        (1e38, 1, None),
        (1e-12, -1, None),
        (1e-12, 1, 2e-12),
    ],
)
def test_lr_goes_1_2_5(lr: float, step: int, expected: float | None) -> None:
    assert ladders.next_lr(lr, step) == expected


@pytest.mark.parametrize(
    ("steps", "size", "step", "expected"),
    [
        (1, 64, 1, 2),
        (3, 64, 1, 4),
        (3, 64, -1, 2),
        (1, 64, -1, None),
        (32, 64, 1, None),
        (8, FULL, 1, 16),
    ],
)
def test_accumulation_doubles_until_an_update_holds_everything(
    steps: int, size: BatchSize, step: int, expected: int | None
) -> None:
    assert ladders.next_accumulation(steps, size, 2000, step) == expected


def test_paces_end_at_free() -> None:
    assert ladders.next_pace(50.0, 1) == (None,)
    assert ladders.next_pace(None, 1) is None
    assert ladders.next_pace(None, -1) == (50.0,)
    assert ladders.next_pace(3.0, -1) == (2.0,)
    assert ladders.next_pace(0.1, -1) is None
