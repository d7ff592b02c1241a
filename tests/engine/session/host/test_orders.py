"""Holds of several clients: training waits for each of them, and for a pause that a user chose."""

from collections.abc import Iterable

import pytest

from engine.log.commands import (
    Add,
    AnyCommand,
    Fork,
    Pause,
    Remove,
    Resume,
    Rewind,
    SetPace,
    StepOnce,
)
from engine.log.records import CommandSent, Point
from engine.session import Session
from engine.session.host.orders import Orders
from engine.session.host.protocol import Order
from engine.session.hosted import OrderError
from engine.session.variants.roster import VariantError
from engine.settings import VariantSettings

ONE, OTHER = "a client", "another client"


class Recorded(Session):
    """A session without workers; `is_waiting` is the effect of the commands so far."""

    def __init__(self) -> None:
        self.wanted = {"SGD": VariantSettings(batch_size=1)}
        self.is_waiting = False
        self.done: list[tuple[object, ...]] = []

    def pause(self) -> None:
        self.is_waiting = True

    def resume(self) -> None:
        self.is_waiting = False

    def step_once(self, names: object) -> None:
        self.is_waiting = True

    def set_pace(self, pace: float | None) -> None:
        pass

    def rewind(self, settings: object, points: object) -> None:
        self.done.append(("rewind", settings, points))

    def fork(self, settings: VariantSettings, point: Point, name: str = "") -> str:
        self.done.append(("fork", settings, point))
        if name == "full":
            raise VariantError("there are 9 variants already")
        return name or "SGD 2"

    def add(self, settings: VariantSettings, name: str = "") -> str:
        self.done.append(("add", settings, name))
        return "new"

    def remove(self, names: Iterable[str]) -> None:
        self.done.append(("remove", *names))

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


def test_variants_come_go_back_and_go(session: Recorded, orders: Orders) -> None:
    settings = VariantSettings(lr=0.3)
    (forked,) = orders.obey(ONE, order(Fork(id=0, settings=settings, batches=7)))
    (added,) = orders.obey(ONE, order(Add(id=0, settings=settings, name="new")))
    assert (forked.variant, added.variant) == ("SGD 2", "new")
    assert orders.obey(ONE, order(Rewind(id=0, settings=settings, generation=2, batches=7))) == ()
    assert orders.obey(ONE, order(Remove(id=0))) == ()
    point = Point(variant="SGD", batches=7)
    assert session.done == [
        ("fork", settings, point),
        ("add", settings, "new"),
        ("rewind", {"SGD": settings}, {"SGD": Point(generation=2, batches=7)}),
        ("remove", "SGD"),
    ]
    with pytest.raises(OrderError, match="there are 9 variants already"):
        orders.obey(ONE, order(Fork(id=0, settings=settings, batches=7, name="full")))


def test_clients_need_not_know_variants_that_were_just_added(
    session: Recorded, orders: Orders
) -> None:
    session.wanted["SGD 2"] = VariantSettings()
    with pytest.raises(OrderError, match="concerns all variants"):
        orders.obey(ONE, order(Pause(id=0)))
    session.added = frozenset({"SGD 2"})
    orders.obey(ONE, order(Pause(id=0)))
    assert session.is_waiting
