"""Processor time that the screen may use, on a clock of the test's own."""

from gdtui.terminal.budget import DrawingBudget, Thrift


class Machine:
    """A budget for ten frames a second, and a process that works for a share of each second."""

    def __init__(self) -> None:
        self.now = self.used = 0.0
        self._budget = DrawingBudget(0.1, lambda: self.now, lambda: self.used)

    def frames(self, share: float, count: int = 100) -> list[Thrift]:
        """The thrift asked of each frame, while working for this share of the time."""
        return [self.frame(share) for _ in range(count)]

    def frame(self, share: float) -> Thrift:
        self.now += 0.1
        self.used += 0.1 * share
        return self._budget.thrift()


def test_who_stays_below_five_percent_need_not_save() -> None:
    assert set(Machine().frames(0.048)) == {Thrift.NONE}


def test_who_uses_more_saves_some_and_then_much() -> None:
    asked = Machine().frames(0.055, count=200)
    assert asked == sorted(asked)
    assert (asked[0], asked[-1]) == (Thrift.SOME, Thrift.MUCH)


def test_a_screen_that_draws_less_while_it_saves_comes_to_less_than_five_percent() -> None:
    machine, thrift = Machine(), Thrift.NONE
    for _ in range(1_000):
        thrift = machine.frame(0.03 if thrift else 0.09)
        assert thrift < Thrift.MUCH
    assert 0.045 < machine.used / machine.now < 0.05


def test_savings_last_for_a_key_and_debts_for_a_second() -> None:
    machine = Machine()
    machine.frames(0.0)
    machine.used += 0.04
    assert machine.frame(0.0) is Thrift.NONE
    machine.used += 2.0  # imports, for example
    asked = machine.frames(0.0, count=13)
    assert asked == sorted(asked, reverse=True)
    assert (asked[0], asked[-1]) == (Thrift.MUCH, Thrift.NONE)
    assert {asked.count(each) for each in (Thrift.MUCH, Thrift.SOME)} <= {5, 6}
