"""The terminal of a viewer that was killed is restored, unless another program has it."""

import os
import socket
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Iterator

import pytest
from hosts import Hosted, RawClient
from msgspec.structs import replace
from terminal import PATIENCE

from engine.session.host.protocol import PROTOCOL, Farewell, Hello, HoldTerminal, frame
from engine.session.host.resources.terminal import HeldTerminal, common_size

NO_PROCESS = 2**31 - 1
LEAVES_SCREEN = b"\x1b[?1049l"


class Pty:
    """A terminal that an app has put into raw mode."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        self.before = termios.tcgetattr(self.slave)
        flags = self.before
        self.lent = HoldTerminal(
            leader=NO_PROCESS,
            group=NO_PROCESS,
            flags=(flags[0], flags[1], flags[2], flags[3], flags[4], flags[5]),
            characters=tuple(flags[6]),
        )
        tty.setraw(self.slave)

    @property
    def modes(self) -> list[object]:
        return termios.tcgetattr(self.master)

    def read(self) -> bytes:
        try:
            return os.read(self.master, 1 << 16)
        except BlockingIOError:
            return b""


@pytest.fixture
def pty() -> Iterator[Pty]:
    made = Pty()
    yield made
    os.close(made.master)
    os.close(made.slave)


def test_a_program_gets_the_rows_and_columns_that_all_screens_have(pty: Pty) -> None:
    held = HeldTerminal(os.dup(pty.slave), pty.lent)
    other, end = os.openpty()
    smaller = HeldTerminal(os.dup(end), pty.lent)
    assert common_size([None, held]) is None  # the kernel does not know its size
    termios.tcsetwinsize(pty.slave, (50, 80))
    assert common_size([None, held, smaller]) == (50, 80)
    termios.tcsetwinsize(other, (40, 100))
    assert common_size([held, smaller]) == (40, 80)
    assert common_size([smaller]) == (40, 100)
    os.close(other)
    os.close(end)
    assert common_size([held, smaller]) == (50, 80)
    held.close()
    smaller.close()


def test_modes_and_screen_are_restored_if_they_are_still_the_apps(pty: Pty) -> None:
    assert HeldTerminal(os.dup(pty.slave), pty.lent).restore()
    assert pty.modes == pty.before
    assert LEAVES_SCREEN in pty.read()


def test_nothing_changes_once_another_program_has_set_its_modes(pty: Pty) -> None:
    held = HeldTerminal(os.dup(pty.slave), pty.lent)
    theirs = termios.tcgetattr(pty.slave)
    theirs[tty.LFLAG] |= termios.ISIG
    termios.tcsetattr(pty.slave, termios.TCSANOW, theirs)
    assert held.restore()
    assert pty.modes == theirs
    assert pty.read() == b""


SESSION = """
import fcntl, os, subprocess, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
if sys.argv[1] == "another program":
    program = subprocess.Popen(["sleep", "600"], process_group=0)
    os.tcsetpgrp(0, program.pid)
print("ready", flush=True)
sys.stdout.close()
os.read(int(sys.argv[2]), 1)
if sys.argv[1] == "another program":
    program.kill()
"""


@pytest.mark.parametrize(
    ("foreground", "is_restored"), [("shell", True), ("another program", False)]
)
def test_it_is_the_shells_again_or_another_programs(
    pty: Pty, foreground: str, is_restored: bool
) -> None:
    reader, writer = os.pipe()
    raw = termios.tcgetattr(pty.slave)
    with subprocess.Popen(
        [sys.executable, "-c", SESSION, foreground, str(reader)],
        stdin=pty.slave, stdout=subprocess.PIPE, start_new_session=True, pass_fds=[reader],
    ) as shell:  # fmt: skip
        try:
            assert shell.stdout is not None
            assert shell.stdout.readline() == b"ready\n"
            held = HeldTerminal(os.dup(pty.slave), replace(pty.lent, leader=shell.pid))
            assert held.restore()
            assert pty.modes == (pty.before if is_restored else raw)
            assert (LEAVES_SCREEN in pty.read()) is is_restored
        finally:
            os.close(writer)
    os.close(reader)


def test_only_a_terminal_is_held(pty: Pty) -> None:
    reader, writer = os.pipe()
    os.close(writer)
    with pytest.raises(OSError, match="ioctl"):
        HeldTerminal(reader, pty.lent)
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(reader)


@pytest.mark.parametrize("is_killed", [True, False])
def test_a_host_restores_it_for_a_viewer_that_went_without_a_farewell(
    host: Hosted, pty: Pty, is_killed: bool
) -> None:
    client = RawClient(host.note.socket)
    client.send(Hello(protocol=PROTOCOL, version="9", is_viewer=True))
    client.receive()
    file = os.dup(pty.slave)
    os.set_blocking(file, False)
    socket.send_fds(client.link, [frame(pty.lent)], [file])
    os.close(file)
    if not is_killed:
        client.send(Farewell())
        assert client.receive() is None
    client.close()
    deadline = time.monotonic() + PATIENCE
    while host.server.viewers:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    with host.lock:  # it has answered
        pass
    assert (pty.modes == pty.before) is is_killed
    assert (LEAVES_SCREEN in pty.read()) is is_killed
