"""The readings among the redraws of bars."""

from collections.abc import Iterator

import pytest

from engine.programs.steps.redraws import Redraws
from engine.programs.text.printed import Form, Printed


def readings(*drawn: tuple[int, float | None], total: int = 100) -> list[tuple[int | None, float]]:
    """Steps and losses of the readings, after redraws at these steps with these losses."""
    redraws = Redraws()

    def found() -> Iterator[Printed]:
        for step, loss in drawn:
            bar = Printed(Form.TQDM, {} if loss is None else {"loss": loss}, step, total)
            yield from redraws.add_without_loss(bar) if loss is None else redraws.add(bar, loss)
        yield from redraws.finish()

    return [(bar.step, bar.values["loss"]) for bar in found()]


@pytest.mark.parametrize(
    "drawn",
    [
        [(0, None), (0, 9.0), (0, 8.0), (0, 7.0), (3, 7.0), (3, 6.0), (4, 6.0)],
        [(0, None), (0, 9.0), (1, 9.0), (1, 8.0), (2, 8.0), (2, 7.0), (3, 7.0), (3, 6.0)],
        [(0, None), (1, None), (1, 9.0), (2, 9.0), (2, 8.0), (3, 8.0), (3, 7.0), (4, 6.0)],
        [(1, 9.0), (1, 9.0), (2, 8.0), (2, 8.0), (3, 7.0), (4, 6.0), (4, 6.0)],
    ],
    ids=["set_postfix", "set_postfix, update", "update, set_postfix", "exact"],
)
def test_every_way_of_using_tqdm_has_its_losses_at_their_steps(
    drawn: list[tuple[int, float | None]],
) -> None:
    assert readings(*drawn) == [(1, 9.0), (2, 8.0), (3, 7.0), (4, 6.0)]


def test_the_same_loss_at_another_step_is_another_reading() -> None:
    assert readings((1, 5.0), (2, 5.0), (3, 5.0)) == [(1, 5.0), (2, 5.0), (3, 5.0)]


def test_no_reading_lies_beyond_the_end_of_its_bar() -> None:
    assert readings((2, 5.0), (2, 4.0), total=2) == [(2, 5.0)]


def test_the_last_loss_of_a_bar_is_none_of_the_next_one() -> None:
    drawn = [(1, 5.0), (2, 4.0), (0, 4.0), (1, 4.0), (1, 3.0), (2, 3.0), (2, 2.0)]
    assert readings(*drawn, total=2) == [(1, 5.0), (2, 4.0), (1, 3.0), (2, 2.0)]


def test_the_next_bar_begins_again() -> None:
    drawn = [(1, 5.0), (0, None), (1, 4.0), (0, 3.0)]
    assert readings(*drawn, total=1) == [(1, 5.0), (1, 4.0), (1, 3.0)]
