"""Times at which a loss curve crosses a level."""

import pytest

from engine.sweep.timeline import best_by, loss_at, seconds_to

CURVE = ((0.0, 1.0), (2.0, 0.5), (4.0, 0.6), (6.0, 0.2))


@pytest.mark.parametrize(
    ("seconds", "loss"), [(0, 1.0), (1, 0.75), (2, 0.5), (3, 0.55), (6, 0.2), (6.1, None)]
)
def test_the_loss_at_a_time_lies_on_the_line_between_two_epochs(
    seconds: float, loss: float | None
) -> None:
    assert loss_at(CURVE, seconds) == (None if loss is None else pytest.approx(loss))


@pytest.mark.parametrize(
    ("loss", "seconds"), [(2.0, 0.0), (1.0, 0.0), (0.75, 1.0), (0.5, 2.0), (0.3, 5.5), (0.1, None)]
)
def test_a_loss_is_reached_when_the_curve_first_gets_there(
    loss: float, seconds: float | None
) -> None:
    assert seconds_to(CURVE, loss) == (None if seconds is None else pytest.approx(seconds))


def test_the_best_by_a_time_counts_what_came_before() -> None:
    assert best_by(CURVE, 3.0) == 0.5
    assert best_by(CURVE, 5.5) == pytest.approx(0.3)
    assert best_by((), 1.0) is None
    assert seconds_to((), 1.0) is None
