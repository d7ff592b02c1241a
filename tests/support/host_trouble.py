"""Trouble made to the host of a run by its clients, a round at a time; no loss may change."""

import os
import random
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hosts import end_run
from real_app import CONSOLE_SCRIPT
from terminal import PATIENCE, Terminal

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import Chunk
from engine.session.host.client import HostError, HostLink
from engine.session.host.note import read_notes
from engine.session.host.processes import descendants, wait_for_end
from engine.session.host.protocol import PROTOCOL, Hello, frame
from engine.session.host.remote_session import RemoteSession

OPTIONS: Final = ("--batch-sizes", "64,32", "--seed", "7", "--device", "cpu", "--epochs")
_TRAINING: Final = 900.0
"""Seconds that training may take, on a machine that is busy with other things."""
_AFTER: Final = 5.0
"""Seconds after the end of a run within which all its processes are gone."""


def train(folder: Path, *options: str) -> Path:
    """Start a detached run below the folder; returns its directory."""
    env = {**os.environ, "XDG_STATE_HOME": str(folder)}
    command = [*CONSOLE_SCRIPT, "train", "--detach", *options]
    started = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return Path(started.stdout.strip())


def losses(run: Path) -> dict[str, bytes]:
    """All losses of each variant, in order; the logs are whole."""
    found: dict[str, bytes] = {}
    follower = Follower(RunDirectory.open(run))
    while records := list(follower.read()):
        for name, record in records:
            if isinstance(record, Chunk):
                found[name] = found.get(name, b"") + record.losses
    assert follower.damage == []
    assert follower.unfinished() == []
    return found


def undisturbed(folder: Path, epochs: int) -> dict[str, bytes]:
    """The losses of the run that nobody troubles."""
    run = train(folder, *OPTIONS, str(epochs))
    for note in read_notes(run):
        assert wait_for_end([note.pid], _TRAINING) == []
    return losses(run)


class Troublemaker:
    """Clients of one host, each of which behaves badly in its way."""

    def __init__(self, run: Path, seed: int) -> None:
        self.run = run
        (self.note,) = read_notes(run)
        self.processes = descendants(self.note.pid)
        self._chance = random.Random(seed)
        self._clients: list[RemoteSession] = []

    def play(self, rounds: int) -> list[str]:
        """Make trouble this many times; the names of what was done."""
        kinds: list[Callable[[], None]] = [
            self._send_rubbish, self._send_half, self._flood, self._stop_host, self._vanish,
            self._attach, self._detach, self._press, self._kill_screen, self._hang_up,
        ]  # fmt: skip
        done = [self._chance.choice(kinds) for _ in range(rounds)]
        for kind in done:
            kind()
            time.sleep(self._chance.uniform(0, 0.2))
        return [kind.__name__ for kind in done]

    def finish(self) -> None:
        """Let the run end by itself; none of its processes is left."""
        link = self._link()
        remote = RemoteSession(link)
        remote.set_pace(None)
        remote.resume()
        remote.close()
        for client in self._clients:
            client.close()
        assert wait_for_end([self.note.pid], _TRAINING) == []
        assert wait_for_end(self.processes, _AFTER) == []

    def _link(self) -> HostLink:
        """A client; while the host is busy or its socket gone, it tries again."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return HostLink(self.run, self.note, "0", is_viewer=True)
            except HostError:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def _raw(self) -> socket.socket:
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(PATIENCE)
        link.connect(self.note.socket)
        return link

    def _send_rubbish(self) -> None:
        with self._raw() as link:
            link.sendall(self._chance.randbytes(self._chance.randint(1, 5000)))

    def _send_half(self) -> None:
        with self._raw() as link:
            link.sendall(frame(Hello(protocol=PROTOCOL, version="0")))
            link.sendall(struct.pack(">I", 1000) + b"x" * self._chance.randint(0, 999))

    def _flood(self) -> None:
        """Write until the host cuts the line or a moment has passed, and read nothing."""
        with self._raw() as link:
            link.setblocking(False)
            until = time.monotonic() + 0.2
            while time.monotonic() < until:
                try:
                    link.send(frame(Hello(protocol=PROTOCOL, version="x" * 900)))
                except BlockingIOError:
                    select.select([], [link], [], 0.02)
                except OSError:
                    return

    def _stop_host(self) -> None:
        os.kill(self.note.pid, signal.SIGSTOP)
        time.sleep(self._chance.uniform(0.2, 1.5))
        os.kill(self.note.pid, signal.SIGCONT)

    def _vanish(self) -> None:
        """Attached clients go on; the socket's file is there again after a while, at most 15 s."""
        if self._clients:
            moved = Path(self.note.socket).with_suffix(".away")
            Path(self.note.socket).rename(moved)
            self._press()
            moved.rename(self.note.socket)

    def _attach(self) -> None:
        self._clients.append(RemoteSession(self._link()))

    def _detach(self) -> None:
        if self._clients:
            self._clients.pop(self._chance.randrange(len(self._clients))).close()

    def _press(self) -> None:
        """Keys that change no loss, from one of two clients at least."""
        while len(self._clients) < 2:
            self._attach()
        client = self._chance.choice(self._clients)
        keys: list[Callable[[], None]] = [
            client.pause, client.resume, client.hold, lambda: client.set_pace(0.5),
            lambda: client.set_pace(1.0), lambda: client.set_measuring(self._chance.random() < 0.5),
        ]  # fmt: skip
        for _ in range(self._chance.randint(1, 5)):
            self._chance.choice(keys)()

    def _screen(self) -> Terminal:
        screen = Terminal([*CONSOLE_SCRIPT, "attach", str(self.run)], env={**os.environ})
        screen.wait_for(lambda: "attached" in screen.text or screen.has_ended)
        return screen

    def _kill_screen(self) -> None:
        with self._screen() as screen:
            screen.send("2 ")
            os.kill(screen.pid, signal.SIGKILL)

    def _hang_up(self) -> None:
        with self._screen() as screen:
            screen.send(" ")
            screen.hang_up()


def trouble_host(folder: Path, *, rounds: int, seed: int, epochs: int) -> list[str]:
    """Trouble a run this many times: its losses are those of the undisturbed run, row by row."""
    expected = undisturbed(folder / "undisturbed", epochs)
    run = train(folder / "troubled", *OPTIONS, str(epochs), "--pace", "1")
    try:
        maker = Troublemaker(run, seed)
        done = maker.play(rounds)
        maker.finish()
    except BaseException:
        end_run(run)
        raise
    found = losses(run)
    assert found.keys() == expected.keys()
    for name, rows in found.items():
        assert rows == expected[name], f"{name}: other losses than undisturbed"
    return done
