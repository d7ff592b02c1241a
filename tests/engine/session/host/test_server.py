"""A host answers every client; none can harm the others, whatever it sends or leaves unread."""

import os
import select
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hosts import VERSION, Hosted, RawClient, hosted
from sessions import PATIENCE, StartRun, Watched

from engine.log.commands import Measure, Pause, Stop
from engine.log.directory import RunDirectory
from engine.log.notices import Notice, NoticeKind
from engine.log.records import Changed, CommandSent, State
from engine.session import Session
from engine.session.host.client import HostError, HostLink
from engine.session.host.note import read_notes
from engine.session.host.protocol import (
    PROTOCOL,
    Done,
    EndHost,
    Hello,
    Notices,
    Order,
    Refusal,
    Welcome,
)
from engine.session.host.remote_session import RemoteSession
from engine.settings import RunSettings, Variant, VariantSettings

HELLO = Hello(protocol=PROTOCOL, version="9")
NAMES = ("Mini-batch", "SGD")


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s")


@pytest.fixture
def host(tmp_path: Path, root: Path) -> Iterator[Hosted]:
    """The host of a run whose workers have not been started."""
    variants = tuple(Variant(name=name, settings=VariantSettings()) for name in NAMES)
    run = RunDirectory.create(tmp_path / "run", RunSettings(variants=variants), "0")
    with Session(run) as session, hosted(session, root) as found:
        yield found


Connect = Callable[[], RawClient]


@pytest.fixture
def connect(host: Hosted) -> Iterator[Connect]:
    clients: list[RawClient] = []

    def make() -> RawClient:
        clients.append(RawClient(host.note.socket))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def is_served(host: Hosted) -> bool:
    """True if a new client is greeted and answered."""
    link = HostLink(host.session.run.path, host.note, "9")
    with pytest.raises(HostError, match="no variant"):
        link.order({"none": Pause(id=0)})
    link.close()
    return True


def test_a_greeting_tells_about_the_run(host: Hosted, connect: Connect) -> None:
    client = connect()
    client.send(HELLO)
    welcome = client.receive()
    assert isinstance(welcome, Welcome)
    assert (welcome.version, welcome.pid, welcome.viewers) == (VERSION, os.getpid(), 0)
    assert [*welcome.settings] == [*NAMES]


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


def test_another_protocol_is_refused_with_both_versions(host: Hosted, connect: Connect) -> None:
    client = connect()
    client.send(Hello(protocol=PROTOCOL + 1, version="9.9"))
    answer = client.receive()
    assert isinstance(answer, Refusal)
    assert VERSION in answer.reason
    assert "9.9" in answer.reason


def test_a_note_in_another_run_does_not_lead_to_this_host(host: Hosted, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(HostError, match="another run"):
        HostLink(tmp_path / "other", host.note, "9")


def test_a_request_before_the_greeting_is_refused(host: Hosted, connect: Connect) -> None:
    client = connect()
    client.send(EndHost(number=1))
    assert isinstance(client.receive(), Refusal)
    assert not host.server.is_end_asked


@pytest.mark.parametrize(
    ("commands", "reason"),
    [
        ({}, "at least one"),
        ({"nobody": Pause(id=0)}, "no variant 'nobody'"),
        ({"SGD": Pause(id=0)}, "all variants"),
        ({"SGD": Stop(id=0)}, "gdtui stop"),
        ({"SGD": Measure(id=0), "Mini-batch": Pause(id=0)}, "one kind"),
    ],
)
def test_commands_that_make_no_sense_are_refused(
    host: Hosted, commands: dict[str, object], reason: str
) -> None:
    link = HostLink(host.session.run.path, host.note, "9")
    with pytest.raises(HostError, match=reason):
        link.order(commands)  # type: ignore[arg-type]
    link.close()


def test_half_a_message_and_silence_keep_nobody_waiting(host: Hosted, connect: Connect) -> None:
    half, silent = connect(), connect()
    half.send(HELLO)
    half.link.sendall(struct.pack(">I", 1000) + b"x" * 10)
    silent.link.sendall(b"\0")
    assert is_served(host)


def test_a_client_that_reads_no_answers_is_cut_off(host: Hosted, connect: Connect) -> None:
    client = connect()
    client.send(HELLO)
    client.link.setblocking(False)
    flood = b"".join(_framed(Order(number=n, commands={"x" * 500: Pause(id=0)})) for n in range(50))
    is_cut = False
    while not is_cut:
        try:
            client.link.send(flood)
        except BlockingIOError:
            select.select([], [client.link], [], 0.05)
        except OSError:
            is_cut = True
    assert is_served(host)


def _framed(order: Order) -> bytes:
    from engine.session.host.protocol import frame

    return frame(order)


def test_more_clients_than_a_run_can_have_are_refused(host: Hosted, connect: Connect) -> None:
    for _ in range(100):
        client = connect()
        client.send(HELLO)
        assert isinstance(client.receive(), Welcome)
    one_more = connect()
    answer = one_more.receive()
    assert isinstance(answer, Refusal)
    assert "100 clients" in answer.reason


def test_notices_reach_viewers_and_those_that_come_later(host: Hosted, connect: Connect) -> None:
    viewer, script = connect(), connect()
    viewer.send(Hello(protocol=PROTOCOL, version="9", is_viewer=True))
    script.send(HELLO)
    assert isinstance(viewer.receive(), Welcome)
    assert isinstance(script.receive(), Welcome)
    notice = Notice(kind=NoticeKind.LOG_BLOCKED, variant="SGD", text="disk full")
    with host.lock:
        assert host.server.viewers == 1
        host.server.publish([notice])
    assert viewer.receive() == Notices(notices=(notice,))
    script.send(EndHost(number=7))
    assert script.receive() == Done(number=7)
    late = RemoteSession(HostLink(host.session.run.path, host.note, "9", is_viewer=True))
    assert late.poll() == [notice]
    late.close()
    assert host.server.is_end_asked


def test_a_vanished_socket_is_made_again(tmp_path: Path, root: Path) -> None:
    variants = (Variant(name="SGD", settings=VariantSettings()),)
    run = RunDirectory.create(tmp_path / "run", RunSettings(variants=variants), "0")
    now = [0.0]
    from engine.session.host.server import HostServer

    with Session(run) as session:
        server = HostServer(session, VERSION, root=root, clock=lambda: now[0])
        first = RawClient(str(server.path))
        server.path.unlink()
        server.path.parent.rmdir()
        now[0] += 60
        server.serve(0)
        second = RawClient(str(server.path))
        second.send(HELLO)
        server.serve(5)
        server.serve(5)
        assert isinstance(second.receive(), Welcome)
        first.close()
        second.close()
        server.close()
        assert not server.path.exists()
        assert read_notes(run.path) == []


def test_commands_of_two_clients_are_in_force_and_in_the_log(
    start_run: StartRun, root: Path
) -> None:
    watched = start_run((64, 1), epochs=100_000)
    watched.until(lambda: all(tally.batches for tally in watched.tallies.values()))
    mini, sgd = watched.names
    with hosted(watched.session, root) as host:
        first, second = (
            RemoteSession(HostLink(host.session.run.path, host.note, "9", is_viewer=True))
            for _ in range(2)
        )
        first.change({mini: VariantSettings(batch_size=32)})
        second.change({sgd: VariantSettings(batch_size=2), mini: VariantSettings(batch_size=16)})
        ids = [sent.command.id for client in (first, second) for sent in client.take_sent()]
        assert ids == sorted({*ids})
        assert len(ids) == 3
        first.close()
        with host.lock:
            assert watched.session.wanted[mini].batch_size == 16
        second.close()
    watched.until(lambda: watched.of(sgd, Changed) and len(watched.of(mini, Changed)) >= 1)
    watched.until(lambda: watched.tallies[mini].settings.batch_size == 16)
    assert {each.command.id for each in watched.of(mini, CommandSent)} <= {*ids}  # type: ignore[union-attr]


def test_a_client_of_a_host_that_ended_learns_it_once(host: Hosted) -> None:
    remote = RemoteSession(HostLink(host.session.run.path, host.note, "9", is_viewer=True))
    host.close()
    notices: list[Notice] = []
    while not notices:
        notices = remote.poll()
    assert "is gone" in notices[0].text
    assert remote.poll() == []
    remote.pause()
    assert remote.take_sent() == []


def test_a_hold_ends_with_the_client_that_asked_for_it(start_run: StartRun, root: Path) -> None:
    watched = start_run((64,), epochs=100_000)
    (name,) = watched.names
    watched.until(lambda: watched.tallies[name].batches)
    with hosted(watched.session, root) as host:
        remote = RemoteSession(HostLink(host.session.run.path, host.note, "9", is_viewer=True))
        remote.hold()
        watched_until_state(watched, host, State.PAUSED)
        remote.close()
        watched_until_state(watched, host, State.RUNNING)
        stays = RemoteSession(HostLink(host.session.run.path, host.note, "9", is_viewer=True))
        stays.pause()
        stays.close()
        watched_until_state(watched, host, State.PAUSED)


def watched_until_state(watched: Watched, host: Hosted, state: State) -> None:
    def is_there() -> bool:
        with host.lock:
            watched.look()
        return watched.states() == {state}

    deadline = time.monotonic() + PATIENCE
    while not is_there():
        assert time.monotonic() < deadline
        time.sleep(0.01)
