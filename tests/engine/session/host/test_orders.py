"""Holds of several clients: training waits for each of them, and for a pause that a user chose."""

import pytest

from engine.log.commands import AnyCommand, Pause, Resume, SetPace, StepOnce
from engine.log.records import CommandSent
from engine.session import Session
from engine.session.host.orders import Orders
from engine.session.host.protocol import Order
from engine.settings import VariantSettings

ONE, OTHER = "a client", "another client"


class Recorded(Session):
    """A session without workers; `is_waiting` is the effect of the commands so far."""

    def __init__(self) -> None:
        self.wanted = {"SGD": VariantSettings(batch_size=1)}
        self.is_waiting = False

    def pause(self) -> None:
        self.is_waiting = True

    def resume(self) -> None:
        self.is_waiting = False

    def step_once(self, names: object) -> None:
        self.is_waiting = True

    def set_pace(self, pace: float | None) -> None:
        pass

    def take_sent(self) -> list[CommandSent]:
        return []


@pytest.fixture
def session() -> Recorded:
    return Recorded()


@pytest.fixture
def orders(session: Recorded) -> Orders:
    return Orders(session)


def order(command: AnyCommand, *, is_hold: bool = False) -> Order:
    return Order(number=1, commands={"SGD": command}, is_hold=is_hold)


HOLD, RELEASE = order(Pause(id=0), is_hold=True), order(Resume(id=0), is_hold=True)


@pytest.mark.parametrize("leaves", [True, False], ids=["disconnects", "releases"])
def test_training_waits_while_another_client_holds_it(
    session: Recorded, orders: Orders, leaves: bool
) -> None:
    orders.obey(ONE, HOLD)
    orders.obey(OTHER, HOLD)
    orders.leave(ONE) if leaves else orders.obey(ONE, RELEASE)
    assert session.is_waiting
    orders.leave(OTHER) if leaves else orders.obey(OTHER, RELEASE)
    assert not session.is_waiting


def test_a_client_holds_once_however_often_it_asks(session: Recorded, orders: Orders) -> None:
    orders.obey(ONE, HOLD)
    orders.obey(ONE, HOLD)
    orders.obey(ONE, order(SetPace(id=0, pace=None)))
    orders.leave(ONE)
    assert not session.is_waiting


def test_a_client_that_never_held_leaves_the_others_alone(
    session: Recorded, orders: Orders
) -> None:
    orders.obey(ONE, HOLD)
    orders.leave(OTHER)
    assert session.is_waiting


@pytest.mark.parametrize("chosen", [Pause(id=0), StepOnce(id=0)], ids=["pause", "one update"])
def test_a_pause_that_a_user_chose_outlasts_all_holds(
    session: Recorded, orders: Orders, chosen: AnyCommand
) -> None:
    orders.obey(ONE, HOLD)
    orders.obey(OTHER, order(chosen))
    orders.obey(ONE, RELEASE)
    orders.obey(ONE, HOLD)
    orders.leave(ONE)
    assert session.is_waiting
    orders.obey(OTHER, order(Resume(id=0)))
    assert not session.is_waiting


def test_training_that_a_user_resumed_no_longer_depends_on_the_holders(
    session: Recorded, orders: Orders
) -> None:
    orders.obey(ONE, HOLD)
    orders.obey(OTHER, order(Resume(id=0)))
    orders.obey(OTHER, order(Pause(id=0)))
    orders.leave(ONE)
    assert session.is_waiting
