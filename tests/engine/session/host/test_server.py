"""A host answers every client: greetings, commands, notices."""

import os
import time
from pathlib import Path

import pytest
from hosts import HELLO, NAMES, VERSION, Connect, Hosted, hosted
from sessions import PATIENCE, StartRun, Watched

from engine.log.commands import Measure, Pause, Stop
from engine.log.notices import Notice, NoticeKind
from engine.log.records import Changed, CommandSent, State
from engine.session.host.client import HostError, HostLink
from engine.session.host.protocol import (
    PROTOCOL,
    Done,
    EndHost,
    Hello,
    Notices,
    Refusal,
    Welcome,
)
from engine.session.host.remote_session import RemoteSession
from engine.settings import VariantSettings


def test_a_greeting_tells_about_the_run(host: Hosted, connect: Connect) -> None:
    client = connect()
    client.send(HELLO)
    welcome = client.receive()
    assert isinstance(welcome, Welcome)
    assert (welcome.version, welcome.pid, welcome.viewers) == (VERSION, os.getpid(), 0)
    assert [*welcome.settings] == [*NAMES]


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
    assert "has ended" in notices[0].text
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
