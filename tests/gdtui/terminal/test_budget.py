"""Processor time that the screen may use, on a clock of the test's own."""

from gdtui.terminal.budget import DrawingBudget


class Machine:
    """A budget for ten frames a second, and a process that works for a share of each second."""

    def __init__(self) -> None:
        self.now = self.used = 0.0
        self.budget = DrawingBudget(0.1, lambda: self.now, lambda: self.used)

    def spent(self, share: float, seconds: float = 10.0) -> float:
        """The share of the frames in which the budget was spent, while working for this share."""
        frames = round(seconds * 10)
        spent = 0
        for _ in range(frames):
            self.now += 0.1
            self.used += 0.1 * share
            spent += self.budget.is_spent()
        return spent / frames


def test_who_stays_below_five_percent_is_never_held_up() -> None:
    assert Machine().spent(0.044) == 0.0


def test_who_uses_more_is() -> None:
    assert Machine().spent(0.055) > 0.8


def test_a_screen_that_draws_less_while_it_is_held_up_comes_to_less_than_five_percent() -> None:
    machine = Machine()
    for _ in range(1_000):
        machine.spent(0.03 if machine.budget.is_spent() else 0.09, seconds=0.1)
    assert 0.04 < machine.used / machine.now < 0.05


def test_savings_last_for_a_key_and_debts_for_no_more_than_a_second() -> None:
    machine = Machine()
    machine.spent(0.0)
    machine.used += 0.04
    assert not machine.budget.is_spent()
    machine.used += 2.0  # imports, for example
    assert machine.budget.is_spent()
    assert machine.spent(0.0, seconds=1.2) < 1.0
    assert not machine.budget.is_spent()
