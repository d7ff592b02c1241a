"""A connection to the host of a run: greeting, requests, answers.

Importing this loads neither multiprocessing nor torch.
"""

import contextlib
import select
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.log.commands import AnyCommand
from engine.log.filesystem.identity import FileIdentity
from engine.log.records import CommandSent
from engine.session.host.address import AddressError, connect
from engine.session.host.note import HostNote, read_notes
from engine.session.host.processes import is_ready
from engine.session.host.protocol import (
    PROTOCOL,
    Done,
    EndHost,
    Farewell,
    FrameReader,
    FromHost,
    Hello,
    HostEnds,
    Message,
    Order,
    ProtocolError,
    Refusal,
    Welcome,
    decode_host,
    frame,
)

if TYPE_CHECKING:
    from engine.session.host.resources.terminal import LentTerminal

_GREETING_SECONDS: Final = 3.0
"""Seconds that a host may take to answer; it is busy or stopped otherwise."""
_PORTION: Final = 1 << 16


class HostError(Exception):
    """A host that cannot be reached or refuses; the message says why and what to do."""


class ElsewhereError(HostError):
    """A host on another machine."""

    def __init__(self, note: HostNote) -> None:
        super().__init__(f"it is trained on {note.host}")
        self.note = note


def find_host(run: Path) -> HostNote:
    """The newest host of a run that may be reached from here.

    Raises HostError if the run has no host, ElsewhereError if it has one on another machine.
    """
    notes = read_notes(run)
    for note in notes:
        if note.is_here:
            return note
    for note in notes:
        if note.is_elsewhere:
            raise ElsewhereError(note)
    raise HostError("it has no host")


class Channel:
    """A connection to a host: requests and their answers. The greeting is sent, not awaited."""

    def __init__(
        self, link: socket.socket, pid: int, version: str, *, is_viewer: bool = True
    ) -> None:
        """`pid`: the host's process. A lost connection is noted in `lost`; nothing is raised."""
        self.pid = pid
        self._last = 0
        self._reader = FrameReader()
        self._arrived: list[FromHost] = []
        self.lost = ""
        """Why the connection ended; empty while it lasts."""
        self.has_ended_in_order = False
        """True once the host has said that it ends, or has agreed to end."""
        self._is_viewer = is_viewer
        self._link = link
        self._link.setblocking(False)
        self._send(Hello(protocol=PROTOCOL, version=version, is_viewer=is_viewer))

    def request(self, commands: Mapping[str, AnyCommand], *, is_hold: bool = False) -> int:
        """Send commands; returns the number of the request, which the answer repeats."""
        self._last += 1
        self._send(Order(number=self._last, commands=dict(commands), is_hold=is_hold))
        return self._last

    def order(
        self, commands: Mapping[str, AnyCommand], patience: float = _GREETING_SECONDS
    ) -> tuple[CommandSent, ...]:
        """Send commands and wait for the answer; raises HostError unless they were carried out."""
        return self._answer(self.request(commands), patience).sent

    def end(self, patience: float = _GREETING_SECONDS) -> None:
        """Ask the host to end; returns once it has agreed. Raises HostError."""
        self._last += 1
        self._send(EndHost(number=self._last))
        self._answer(self._last, patience)
        self.has_ended_in_order = True

    def _answer(self, number: int, patience: float) -> Done:
        answer = self.wait_for(number, patience)
        if isinstance(answer, Done):
            return answer
        raise HostError(_text(answer, self.lost, self.pid))

    def wait_for(self, number: int, patience: float) -> Done | Refusal | None:
        """The answer to a request; None if there is none after `patience` seconds."""
        found = self._wait(
            lambda each: isinstance(each, Done | Refusal) and each.number == number, patience
        )
        assert found is None or isinstance(found, Done | Refusal)
        return found

    def receive(self) -> list[FromHost]:
        """The messages that have arrived and were not waited for. Never blocks."""
        self._read()
        arrived, self._arrived = self._arrived, []
        return arrived

    def fileno(self) -> int:
        """The descriptor of the connection; −1 once it has ended."""
        return self._link.fileno()

    def close(self) -> None:
        """Disconnect; a viewer takes its leave first. Safe to repeat."""
        if self._is_viewer and not self.lost and self._link.fileno() >= 0:
            with contextlib.suppress(OSError):  # the host has ended, or does not read
                self._link.send(frame(Farewell()))
        self._link.close()

    def lend_terminal(self, terminal: "LentTerminal") -> None:
        """Lend this terminal to the host, which restores it if this process is killed."""
        with contextlib.suppress(OSError):  # the host has ended, or does not read
            terminal.lend(self._link)

    def _lose(self, reason: str) -> None:
        self.lost = self.lost or reason
        self._link.close()

    def _send(self, message: Message) -> None:
        """Send a message; a host that does not read for long is given up."""
        data = frame(message)
        deadline = time.monotonic() + _GREETING_SECONDS
        while data and not self.lost:
            try:
                data = data[self._link.send(data) :]
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0 or not is_ready(self._link, select.POLLOUT, left):
                    self._lose("it does not read its socket")
            except OSError:
                self._lose("it has ended")

    def _wait(self, is_wanted: Callable[[FromHost], bool], patience: float) -> FromHost | None:
        deadline = time.monotonic() + patience
        while True:
            self._read()
            for index, each in enumerate(self._arrived):
                if is_wanted(each):
                    return self._arrived.pop(index)
            left = deadline - time.monotonic()
            if self.lost or left <= 0:
                return None
            is_ready(self._link, select.POLLIN, left)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while not self.lost:
                try:
                    data = self._link.recv(_PORTION)
                    if not data:
                        self._lose("it has ended")
                    for message in map(decode_host, self._reader.feed(data)):
                        self.has_ended_in_order |= isinstance(message, HostEnds)
                        self._arrived.append(message)
                except ProtocolError as error:
                    self._lose(f"its answer is not understood: {error}")
                except BlockingIOError:
                    raise
                except OSError:
                    self._lose("it has ended")


class HostLink(Channel):
    """A connection to the host of a run, which has answered the greeting."""

    def __init__(
        self,
        run: Path,
        note: HostNote,
        version: str,
        *,
        is_viewer: bool = False,
        patience: float = _GREETING_SECONDS,
    ) -> None:
        """Connect to the host of the run, and greet. Waits at most `patience` seconds.

        Raises HostError if there is no answer, or if it is the host of another run.
        """
        self.note = note
        try:
            link = connect(note.socket, patience)
        except AddressError as error:
            raise HostError(str(error)) from None
        super().__init__(link, note.pid, version, is_viewer=is_viewer)
        answer = self._wait(lambda each: isinstance(each, Welcome | Refusal), patience)
        if not isinstance(answer, Welcome):
            self.close()
            raise HostError(_text(answer, self.lost, note.pid))
        if not _is_at(run, answer):
            self.close()
            raise HostError(f"{note.socket} is the socket of another run")
        self.welcome = answer


def _is_at(run: Path, welcome: Welcome) -> bool:
    try:
        return FileIdentity.of(run.resolve()) == welcome.run
    except OSError:
        return False


def _text(answer: FromHost | None, lost: str, pid: int) -> str:
    if isinstance(answer, Refusal):
        return answer.reason
    if lost:
        return f"the host (process {pid}) did not answer: {lost}"
    return f"the host (process {pid}) does not answer: it is stopped or too busy"
