"""Processor time that the screen may use, on a clock of the test's own."""

import pytest

from gdtui.terminal.budget import DrawingBudget, Thrift


class Machine:
    """A budget for ten frames a second, and a process that works for a share of each second."""

    def __init__(self) -> None:
        self.now = self.used = 0.0
        self._budget = DrawingBudget(0.1, lambda: self.now, lambda: self.used)

    def frames(self, share: float, count: int = 100, most: Thrift = Thrift.MOST) -> list[Thrift]:
        """The thrift asked of each frame, while working for this share of the time."""
        return [self.frame(share, most) for _ in range(count)]

    def frame(self, share: float, most: Thrift = Thrift.MOST) -> Thrift:
        self.now += 0.1
        self.used += 0.1 * share
        return self._budget.thrift(most)


def test_who_stays_below_five_percent_need_not_save() -> None:
    assert set(Machine().frames(0.048)) == {Thrift.NONE}


@pytest.mark.parametrize("most", [Thrift.SOME, Thrift.MUCH, Thrift.MOST])
def test_who_goes_on_to_use_more_saves_ever_more(most: Thrift) -> None:
    asked = Machine().frames(0.055, count=300, most=most)
    assert asked == sorted(asked)
    assert {*asked} == {each for each in Thrift if Thrift.NONE < each <= most}


@pytest.mark.parametrize(
    ("costs", "levels"),
    [
        ((0.09, 0.03, 0.0, 0.0, 0.0), {Thrift.NONE, Thrift.SOME}),
        ((0.09, 0.08, 0.04, 0.03, 0.02), {Thrift.SOME, Thrift.MUCH}),
        ((0.19, 0.16, 0.09, 0.06, 0.04), {Thrift.MORE, Thrift.MOST}),
    ],
)
def test_a_screen_that_draws_less_while_it_saves_comes_to_five_percent(
    costs: tuple[float, ...], levels: set[Thrift]
) -> None:
    machine, thrift = Machine(), Thrift.NONE
    for frame in range(4_000):
        thrift = machine.frame(costs[thrift])
        if frame == 1_000:
            seen, began, before = set[Thrift](), machine.now, machine.used
        if frame >= 1_000:
            seen.add(thrift)
    assert seen == levels
    assert 0.045 < (machine.used - before) / (machine.now - began) < 0.051


def test_savings_last_for_a_key_and_debts_for_a_second() -> None:
    machine = Machine()
    machine.frames(0.0)
    machine.used += 0.04
    assert machine.frame(0.0) is Thrift.NONE
    machine.used += 2.0  # imports, for example
    asked = machine.frames(0.0, count=13)
    assert asked == sorted(asked, reverse=True)
    assert (asked[0], asked[-1]) == (Thrift.SOME, Thrift.NONE)
    assert asked.count(Thrift.SOME) in (10, 11)


def test_the_effect_of_a_step_is_awaited_before_the_next() -> None:
    machine = Machine()
    asked = [machine.frame(share) for share in (5.0, 5.0, 0.055, 0.055)]
    assert asked == [Thrift.SOME, Thrift.MUCH, Thrift.MUCH, Thrift.MUCH]


def test_saving_much_ends_with_the_flood() -> None:
    machine = Machine()
    assert machine.frames(0.5)[-1] is Thrift.MOST
    assert machine.frames(0.5, most=Thrift.SOME) == [Thrift.SOME] * 100
    assert machine.frame(0.0) is Thrift.SOME
