"""Trouble made to the host of a run by its clients, a round at a time; no loss may change."""

import contextlib
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

from hosted_runs import begin, begin_in_app, directory, losses
from real_app import CONSOLE_SCRIPT
from terminal import PATIENCE, Terminal, session_of

from engine.log.commands import Pause
from engine.log.directory import RunDirectory
from engine.session.host.client import HostError, HostLink
from engine.session.host.note import read_notes
from engine.session.host.processes import descendants, wait_for_end
from engine.session.host.protocol import PROTOCOL, Hello, Order, frame
from engine.session.host.remote_session import RemoteSession

OPTIONS: Final = ("--batch-sizes", "64,32", "--seed", "7", "--device", "cpu", "--epochs")
HELLO: Final = Hello(protocol=PROTOCOL, version="0")
_TRAINING: Final = 900.0
"""Seconds that training may take, on a machine that is busy with other things."""
_AFTER: Final = 5.0
"""Seconds after the end of a run within which all its processes are gone."""


class Troublemaker:
    """Clients of one host, each of which behaves badly in its way."""

    def __init__(self, run: Path, seed: int) -> None:
        self.run = run
        (self.note,) = read_notes(run)
        self._chance = random.Random(seed)
        self._clients: list[RemoteSession] = []

    def play(self, rounds: int) -> list[str]:
        """Make trouble this many times; the names of what was done."""
        kinds: list[Callable[[], None]] = [
            self._send_rubbish, self._send_half, self._flood, self._cut, self._stop_host,
            self._hang_up_host, self._vanish, self._attach, self._detach, self._press,
            self._kill_screen, self._stop_screen, self._hang_up_screen,
        ]  # fmt: skip
        done = [self._chance.choice(kinds) for _ in range(rounds)]
        for kind in done:
            kind()
            time.sleep(self._chance.uniform(0, 0.2))
        return [kind.__name__ for kind in done]

    def finish(self) -> None:
        """Let the run end by itself; none of its processes is left."""
        remote = RemoteSession(self._link())
        remote.set_pace(None)
        remote.resume()
        remote.close()
        for client in self._clients:
            client.close()
        processes = self._processes()
        assert wait_for_end([self.note.pid], _TRAINING) == []
        assert wait_for_end(processes, _AFTER) == []
        assert session_of(self.note.pid) == []

    def stop(self) -> None:
        """End the run now; none of its processes is left."""
        processes = self._processes()
        subprocess.run([*CONSOLE_SCRIPT, "stop", str(self.run)], check=True, capture_output=True)
        assert wait_for_end(processes, _AFTER) == []
        assert session_of(self.note.pid) == []

    def _processes(self) -> set[int]:
        return descendants(self.note.pid) | {*session_of(self.note.pid)}

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
            link.sendall(frame(HELLO))
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

    def _cut(self) -> None:
        """Make training wait, and disconnect before the answer or in the next order."""
        names = [each.name for each in RunDirectory.open(self.run).info.settings.variants]
        hold = Order(number=1, commands=dict.fromkeys(names, Pause(id=0)), is_hold=True)
        data = frame(HELLO) + frame(hold)
        with self._raw() as link:
            link.sendall(data + data[: self._chance.randrange(len(data))])
            link.shutdown(self._chance.choice((socket.SHUT_WR, socket.SHUT_RDWR)))

    def _stop_host(self) -> None:
        os.kill(self.note.pid, signal.SIGSTOP)
        time.sleep(self._chance.uniform(0.2, 1.5))
        os.kill(self.note.pid, signal.SIGCONT)

    def _hang_up_host(self) -> None:
        os.kill(self.note.pid, signal.SIGHUP)

    def _vanish(self) -> None:
        """Attached clients go on while the socket's file is away; it comes back, or a new one."""
        if self._clients:
            moved = Path(self.note.socket).with_suffix(".away")
            Path(self.note.socket).rename(moved)
            self._press_keys()
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
        self._press_keys()

    def _press_keys(self) -> None:
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

    def _stop_screen(self) -> None:
        """A screen that hangs keeps no other client waiting."""
        with self._screen() as screen:
            os.kill(screen.pid, signal.SIGSTOP)
            self._press()
            time.sleep(self._chance.uniform(0.2, 1.5))
            os.kill(screen.pid, signal.SIGCONT)
            screen.send("2 d")
            assert screen.wait() == 0

    def _hang_up_screen(self) -> None:
        with self._screen() as screen:
            screen.send(" ")
            screen.hang_up()


def trouble_host(
    folder: Path,
    *,
    rounds: int,
    seed: int,
    epochs: int,
    is_stopped: bool = False,
    is_in_app: bool = False,
) -> list[str]:
    """Trouble a run this many times: its losses are those of the undisturbed run, row by row.

    `is_stopped`: `gdtui stop` ends the run, so that its losses are the first ones of that other.
    `is_in_app`: an app began it, and was killed.
    """
    calm = begin(folder / "undisturbed", *OPTIONS, str(epochs))
    paced = (*OPTIONS, str(epochs), "--pace", "1")
    with contextlib.ExitStack() as stack:
        if is_in_app:
            run = begin_in_app(folder / "troubled", stack, *paced)
        else:
            run = directory(begin(folder / "troubled", *paced))
        undisturbed = directory(calm)
        stack.callback(_end, run, undisturbed)
        maker = Troublemaker(run, seed)
        done = maker.play(rounds)
        (maker.stop if is_stopped else maker.finish)()
        for note in read_notes(undisturbed):
            assert wait_for_end([note.pid], _TRAINING) == []
    expected, found = losses(undisturbed), losses(run)
    assert found.keys() == expected.keys()
    for name, rows in found.items():
        part = expected[name][: len(rows)] if is_stopped else expected[name]
        assert rows == part, f"{name}: other losses than undisturbed"
        assert rows
    return done


def _end(*runs: Path) -> None:
    """End the hosts that a failure has left."""
    for note in (note for run in runs for note in read_notes(run)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(note.pid, signal.SIGTERM)


def kill_host(folder: Path, delay: float) -> float:
    """Kill a host while a screen is attached; returns the seconds until its workers were gone.

    Nothing that was logged is lost, the screen says what happened, and another run can begin.
    """
    run = directory(begin(folder, *OPTIONS, "100000"))
    (note,) = read_notes(run)
    with Terminal([*CONSOLE_SCRIPT, "attach", str(run)], env={**os.environ}) as screen:
        screen.wait_for(lambda: "attached" in screen.text)
        time.sleep(delay)
        processes = descendants(note.pid) | {*session_of(note.pid)}
        before = losses(run, is_whole=False)
        killed = time.monotonic()
        os.kill(note.pid, signal.SIGKILL)
        assert wait_for_end(processes, PATIENCE) == []
        seconds = time.monotonic() - killed
        screen.wait_for(lambda: screen.says(f"(process {note.pid}) is gone"))
        assert screen.says("Everything logged is safe")
        screen.send("q")
        screen.wait()
    after = losses(run, is_whole=False)
    for name, rows in before.items():
        assert after[name].startswith(rows)
    return seconds
