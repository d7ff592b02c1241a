"""Keys while the host answers late: each starts from those before it, answered or not."""

import socket
from collections.abc import Iterator

import pytest

from engine.log.commands import Change, Restart, SetPace
from engine.log.records import CommandSent, Started
from engine.session.host.client import Channel
from engine.session.host.protocol import (
    Done,
    FrameReader,
    Message,
    Order,
    Refusal,
    decode_client,
    frame,
)
from engine.session.host.remote_session import RemoteSession
from engine.settings import RunSettings, Variant, VariantSettings
from gdtui.control.run_controller import RunController
from gdtui.state.store import Store
from gdtui.state.variant import VariantState

NAME = "SGD"
FIRST = VariantSettings(batch_size=1, lr=0.01)


class Bench:
    """Keys of one variant, and a host that hears them."""

    def __init__(self, ours: socket.socket, theirs: socket.socket) -> None:
        self._theirs, self._frames = theirs, FrameReader()
        self.answer(Done(number=0))  # it has answered once, so that keys are not waited for
        self.session = RemoteSession(Channel(ours, 1, "1"), [NAME])
        self.session.poll()
        self._store = Store(RunSettings(variants=(Variant(name=NAME, settings=FIRST),)))
        self._store.add(
            NAME,
            Started(
                generation=1, settings=FIRST, n=2000, model="", parameters=1, device="cpu",
                threads=1, epochs=10, pace=None,
            ),
        )  # fmt: skip
        self.keys = RunController(self._store, self.session)

    @property
    def variant(self) -> VariantState:
        return self._store.variants[NAME]

    def press(self, keys: str) -> None:
        chosen = [self.variant]
        for key in keys:
            match key:
                case "]":
                    self.keys.batch(chosen, 1)
                case ".":
                    self.keys.lr(chosen, 1)
                case "r":
                    self.keys.restart(chosen)
                case "<":
                    self.keys.pace(-1)
            self.keys.note_sent()

    def answer(self, message: Message) -> None:
        self._theirs.sendall(frame(message))

    def hang_up(self) -> None:
        self._theirs.close()

    def orders(self) -> list[Order]:
        """The orders that the host has heard since the last call."""
        heard = map(decode_client, self._frames.feed(self._theirs.recv(1 << 20)))
        return [each for each in heard if isinstance(each, Order)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Bench(ours, theirs)


def told(order: Order) -> VariantSettings:
    command = order.commands[NAME]
    assert isinstance(command, Change | Restart)
    return command.settings


def test_each_key_starts_from_those_before_it(bench: Bench) -> None:
    bench.press("...r]]")
    orders = bench.orders()
    assert [(told(each).lr, told(each).batch_size) for each in orders] == [
        (0.02, 1), (0.05, 1), (0.1, 1), (0.1, 1), (0.1, 2), (0.1, 4)
    ]  # fmt: skip
    assert bench.variant.word == "restarting…"
    for number, order in enumerate(orders, start=1):
        sent = CommandSent(variant=NAME, command=Change(id=number, settings=told(order)))
        bench.answer(Done(number=order.number, sent=(sent,)))
        bench.keys.poll()
        bench.keys.note_sent()
        assert (bench.variant.wanted.lr, bench.variant.wanted.batch_size) == (0.1, 4)
    assert not bench.session.asked[NAME]


def test_the_pace_is_slower_with_each_key(bench: Bench) -> None:
    bench.press("<<<")
    commands = [order.commands[NAME] for order in bench.orders()]
    paces = [command.pace for command in commands if isinstance(command, SetPace) and command.pace]
    assert len({*paces}) == 3
    assert paces == sorted(paces, reverse=True)


def test_what_is_refused_or_lost_is_wanted_no_longer(bench: Bench) -> None:
    bench.press("]")
    (order,) = bench.orders()
    assert bench.variant.wanted.batch_size == 2
    bench.answer(Refusal(number=order.number, reason="no"))
    bench.keys.poll()
    bench.keys.note_sent()
    assert bench.variant.wanted == FIRST
    bench.press("]")
    bench.hang_up()
    bench.keys.poll()
    assert bench.variant.wanted == FIRST
    assert not bench.session.asked
