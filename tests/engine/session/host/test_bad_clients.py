"""No client can harm the others, whatever it sends or leaves unread."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosts import HELLO, VERSION, Connect, Hosted, RawClient, is_served
from hypothesis import given
from hypothesis import strategies as st

from engine.log.commands import Pause
from engine.log.directory import RunDirectory
from engine.session import Session
from engine.session.host.connection import Connection
from engine.session.host.protocol import PROTOCOL, Hello, Order, Refusal, Welcome, frame
from engine.session.host.server import HostServer
from engine.settings import RunSettings, Variant, VariantSettings

VIEWER = Hello(protocol=PROTOCOL, version="9", is_viewer=True)


class Served:
    """A host whose time passes only when it is set."""

    def __init__(self, session: Session, root: Path) -> None:
        self.now = 0.0
        self.server = HostServer(session, VERSION, root=root, clock=lambda: self.now)

    def serve(self) -> None:
        """Answer all that may be answered now."""
        for _ in range(100):
            self.server.serve(0)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    variants = (Variant(name="SGD", settings=VariantSettings()),)
    path = tmp_path_factory.mktemp("runs") / "run"
    run = RunDirectory.create(path, RunSettings(variants=variants), "0")
    with Session(run) as session:
        served = Served(session, tmp_path_factory.mktemp("s"))
        yield served
        served.server.close()


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">I", 2**32 - 1),
        struct.pack(">I", 5) + b"\xc1\xc1\xc1\xc1\xc1",
        struct.pack(">I", 3) + b"\x93\x01\x02",
        struct.pack(">I", 0),
    ],
)
@pytest.mark.parametrize("is_greeted", [True, False])
def test_rubbish_is_answered_and_cut_off(
    host: Hosted, connect: Connect, rubbish: bytes, is_greeted: bool
) -> None:
    client = connect()
    if is_greeted:
        client.send(HELLO)
        assert isinstance(client.receive(), Welcome)
    client.link.sendall(rubbish)
    answer = client.receive()
    assert isinstance(answer, Refusal)
    assert "not understood" in answer.reason
    assert client.receive() is None
    assert is_served(host)


def test_half_a_message_and_silence_keep_nobody_waiting(host: Hosted, connect: Connect) -> None:
    half, silent = connect(), connect()
    half.send(HELLO)
    half.link.sendall(struct.pack(">I", 1000) + b"x" * 10)
    silent.link.sendall(b"\0")
    assert is_served(host)


def test_a_client_that_reads_no_answers_is_cut_off() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        client = Connection(ours, 0.0, lambda: 0.0)
        answers = 0
        client.put(Refusal(reason="x" * 1000))
        while client.flush():
            answers += 1
            assert answers < 3000
            client.put(Refusal(reason="x" * 1000))


def test_more_screens_than_a_run_can_have_are_refused(host: Hosted, connect: Connect) -> None:
    for _ in range(100):
        screen = connect()
        screen.send(VIEWER)
        assert isinstance(screen.receive(), Welcome)
    one_more = connect()
    one_more.send(VIEWER)
    answer = one_more.receive()
    assert isinstance(answer, Refusal)
    assert "100 screens" in answer.reason
    assert is_served(host)


@pytest.mark.parametrize("is_greeted", [True, False])
def test_clients_that_hang_keep_no_other_out(
    host: Hosted, connect: Connect, is_greeted: bool
) -> None:
    screen = connect()
    screen.send(VIEWER)
    assert isinstance(screen.receive(), Welcome)
    for _ in range(200):
        client = connect()
        if is_greeted:
            client.send(HELLO)
            assert isinstance(client.receive(), Welcome)
    assert is_served(host)
    with host.lock:
        assert host.server.viewers == 1


def test_a_flood_is_read_at_a_steady_rate(served: Served) -> None:
    flood, calm = (RawClient(str(served.server.path)) for _ in range(2))
    for client in (flood, calm):
        client.send(HELLO)
    served.serve()
    request = frame(Order(number=1, commands={"none": Pause(id=0)}))
    flood.link.sendall(request * 1500)
    answered = answers(served, flood)
    assert answered < 1000
    calm.send(Order(number=2, commands={"none": Pause(id=0)}))
    assert answers(served, calm) == 2
    for _ in range(10):
        served.now += 1
        answered += answers(served, flood)
    assert answered == 1501
    for client in (flood, calm):
        client.close()
    served.serve()


def answers(served: Served, client: RawClient) -> int:
    """The number of answers that come now."""
    client.link.setblocking(False)
    found = 0
    for _ in range(20):
        served.serve()
        with contextlib.suppress(BlockingIOError):
            while client.receive():
                found += 1
    return found


def test_a_flood_of_connections_is_accepted_at_a_steady_rate(served: Served) -> None:
    served.now += 10
    accepted = 0
    for _ in range(600):
        with socket.socket(socket.AF_UNIX) as link:
            link.setblocking(False)
            try:
                link.connect(str(served.server.path))
            except BlockingIOError:  # as many wait as the system lets wait
                break
            accepted += 1
        served.server.serve(0)
    assert 400 <= accepted < 600
    served.now += 10
    served.serve()
    client = RawClient(str(served.server.path))
    client.send(HELLO)
    served.serve()
    assert isinstance(client.receive(), Welcome)
    client.close()


def test_a_client_that_does_not_greet_is_cut_off(served: Served) -> None:
    client = RawClient(str(served.server.path))
    client.link.sendall(b"\0")
    served.serve()
    served.now += 60
    served.serve()
    assert client.receive() is None
    client.close()


pieces = st.lists(
    st.one_of(
        st.binary(max_size=80),
        st.binary(max_size=80).map(lambda data: struct.pack(">I", len(data)) + data),
        st.just(frame(HELLO)),
        st.just(frame(Order(number=1, commands={"SGD": Pause(id=0)}))),
    ),
    max_size=8,
)


@given(pieces)
def test_any_bytes_are_answered_or_cut_off(served: Served, sent: list[bytes]) -> None:
    served.now += 60
    bad, good = (RawClient(str(served.server.path)) for _ in range(2))
    good.send(HELLO)
    for data in sent:
        served.server.serve(0)
        try:
            bad.link.sendall(data)
        except OSError:
            break
    bad.close()
    for _ in range(10):
        served.server.serve(0)
    assert isinstance(good.receive(), Welcome)
    good.close()
    for _ in range(3):
        served.server.serve(0)
    assert not served.server.is_end_asked
    assert served.server.viewers == 0
