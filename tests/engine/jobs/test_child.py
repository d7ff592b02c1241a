"""A process and its pipe: what is sent early, what comes, how it ended and how it is ended."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sessions import PATIENCE

from engine.jobs.child import Child, finish
from engine.jobs.fork_server import start_process
from engine.jobs.messages import Death
from engine.jobs.outbox import Supersedes, supersedes_nothing


def echo(pipe: Connection) -> None:
    """Send back what comes, until the pipe ends."""
    with contextlib.suppress(EOFError):
        while True:
            message = pipe.recv_bytes()
            if message == b"die":
                os.kill(os.getpid(), signal.SIGKILL)
            pipe.send_bytes(message)


def stubborn(pipe: Connection) -> None:
    """End for nobody."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pipe.send_bytes(b"here")
    while True:
        time.sleep(1)


def child(
    main: Callable[..., None],
    patience: float = PATIENCE,
    supersedes: Supersedes = supersedes_nothing,
) -> Child:
    return Child(partial(start_process, main, (), name="child"), "child", patience, supersedes)


def pid_of(child: Child) -> int:
    assert child.pid is not None
    return child.pid


def received(child: Child, count: int, most: int | None = None) -> list[bytes]:
    messages: list[bytes] = []
    deadline = time.monotonic() + PATIENCE
    while len(messages) < count:
        assert time.monotonic() < deadline
        messages += child.receive(timeout=0.1, most=most)
    return messages


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_gone(pid: int | None) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_what_is_sent_before_it_has_begun_arrives_in_order() -> None:
    echoing = child(echo)
    for message in (b"one", b"two", b"three"):
        echoing.send(message)
    assert received(echoing, 3) == [b"one", b"two", b"three"]
    echoing.close()
    assert is_gone(echoing.pid)
    assert not echoing.has_ended, "it was not its doing"
    assert echoing.receive() == []


def test_no_more_messages_come_at_once_than_were_asked_for() -> None:
    echoing = child(echo)
    for _ in range(5):
        echoing.send(b"x")
    parts = [received(echoing, 1, most=2)]
    while sum(map(len, parts)) < 5:
        parts.append(received(echoing, 1, most=2))
    assert max(map(len, parts)) <= 2
    echoing.close()


def test_a_death_is_seen_at_the_end_of_the_pipe_and_its_cause_is_known() -> None:
    dying = child(echo)
    dying.send(b"die")
    until(lambda: dying.receive(timeout=0.1) or dying.has_ended)
    assert dying.cause_of_death(PATIENCE) == Death("SIGKILL")
    assert not dying.has_lost_server
    dying.send(b"nobody hears")
    assert dying.receive() == []
    dying.close()


def test_who_does_not_end_is_killed() -> None:
    for end in (lambda one: one.close(), lambda one: finish([one], 0.1)):
        resisting = child(stubborn, patience=0.2)
        assert received(resisting, 1) == [b"here"]
        end(resisting)
        until(lambda one=resisting: is_gone(one.pid))


def test_sending_waits_for_nobody_and_the_newest_of_a_kind_arrives() -> None:
    """A pipe takes some hundred messages; its reader is stopped."""
    echoing = child(echo, supersedes=lambda new, old: new == old)
    echoing.send(b"first")
    assert received(echoing, 1) == [b"first"]
    os.kill(pid_of(echoing), signal.SIGSTOP)
    until(lambda: echoing.is_suspended)
    for number in range(3_000):
        echoing.send(b"%04d" % number + bytes(1_000), label="number")
    echoing.send(b"other", label="other")
    assert echoing.receive() == []

    os.kill(pid_of(echoing), signal.SIGCONT)
    messages = received(echoing, 1)
    while messages[-1] != b"other":
        messages += received(echoing, 1)
    *numbers, last = (int(message[:4]) for message in messages[:-1])
    assert last == 2_999
    assert numbers == list(range(len(numbers))), "those that the pipe took at once, in order"
    assert len(numbers) < 1_000
    echoing.close()


def test_one_that_is_stopped_is_not_waited_for() -> None:
    stopped, healthy = child(echo), child(echo)
    for one in (stopped, healthy):
        one.send(b"here")
        received(one, 1)
    pids = [pid_of(stopped), pid_of(healthy)]
    os.kill(pids[0], signal.SIGSTOP)
    until(lambda: stopped.is_suspended)
    assert not healthy.is_suspended
    began = time.monotonic()
    finish([stopped], PATIENCE)
    assert time.monotonic() - began < PATIENCE
    until(lambda: is_gone(pids[0]))
    healthy.close()


def test_one_that_cannot_be_started_has_ended() -> None:
    def start() -> None:
        raise ValueError("no such luck")

    never = Child(start, "never")  # type: ignore[arg-type]
    until(lambda: never.has_ended)
    assert (never.start_failure, never.pid, never.receive(timeout=PATIENCE)) == (
        "no such luck",
        None,
        [],
    )
    never.send(b"nobody hears")
    finish([never], 0.1)
