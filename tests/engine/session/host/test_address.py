"""The directory of sockets is private, whoever was there first and whatever the umask."""

import contextlib
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from engine.session.host import address
from engine.session.host.address import (
    AddressError,
    connect,
    is_same_user,
    listen,
    make_socket_directory,
    new_socket_path,
    remove_dead_sockets,
    socket_directory,
)


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short path, since that of a socket is limited to about a hundred bytes."""
    return tmp_path_factory.mktemp("s")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_the_umask_changes_no_mode(root: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        folder = make_socket_directory(root)
        path = new_socket_path(folder)
        with listen(path):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_directory_open_to_others_is_refused(root: Path) -> None:
    socket_directory(root).mkdir()
    socket_directory(root).chmod(0o750)
    with pytest.raises(AddressError, match="chmod 700"):
        make_socket_directory(root)


def test_a_link_is_refused(root: Path) -> None:
    (root / "elsewhere").mkdir(0o700)
    socket_directory(root).symlink_to(root / "elsewhere")
    with pytest.raises(AddressError, match="not a directory"):
        make_socket_directory(root)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to be another user")
def test_a_directory_of_another_user_is_refused(root: Path) -> None:
    socket_directory(root).mkdir(0o700)
    os.chown(socket_directory(root), 12345, -1)
    with pytest.raises(AddressError, match="another user"):
        make_socket_directory(root)


CONNECT = """
import os, socket, sys
os.setgid(12345)
os.setuid(12345)
link = socket.socket(socket.AF_UNIX)
try:
    link.connect(sys.argv[1])
except PermissionError:
    sys.exit(7)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to be another user")
def test_another_user_cannot_connect(root: Path) -> None:
    root.chmod(0o755)
    before = os.umask(0)
    try:
        path = new_socket_path(make_socket_directory(root))
        with listen(path):
            tried = subprocess.run([sys.executable, "-c", CONNECT, str(path)], check=False)
    finally:
        os.umask(before)
    assert tried.returncode == 7


def test_a_peer_of_another_user_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert is_same_user(ours)
        monkeypatch.setattr(address.os, "getuid", lambda: os.geteuid() + 1)
        assert not is_same_user(ours) or not hasattr(socket, "SO_PEERCRED")


def test_the_sockets_of_killed_hosts_are_removed(root: Path) -> None:
    folder = make_socket_directory(root)
    dead, young, alive = (new_socket_path(folder) for _ in range(3))
    for path in (dead, young):
        listen(path).close()
    with listen(alive):
        for path in (dead, alive):
            os.utime(path, (0, 0))
        (folder / "note.sock").write_text("not a socket")
        os.utime(folder / "note.sock", (0, 0))
        remove_dead_sockets(folder)
        assert not dead.exists()
        assert young.exists()
        assert alive.exists()
        assert (folder / "note.sock").exists()
        connect(str(alive), 5).close()
    with pytest.raises(AddressError, match="it was killed"):
        connect(str(young), 5)


def test_a_host_with_many_that_wait_is_waited_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = new_socket_path(make_socket_directory(root))
    with listen(path) as listener, contextlib.ExitStack() as stack:
        waiting = []
        with contextlib.suppress(BlockingIOError):
            for _ in range(1000):
                link = stack.enter_context(socket.socket(socket.AF_UNIX))
                link.setblocking(False)
                link.connect(str(path))
                waiting.append(link)
        with pytest.raises(AddressError, match="stopped or too busy"):
            connect(str(path), 0)
        monkeypatch.setattr(address.time, "sleep", lambda _: listener.accept()[0].close())
        connect(str(path), 20).close()
