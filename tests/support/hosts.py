"""A host in this process, served by a thread, and raw clients of its socket."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from terminal import PATIENCE

from engine.log.commands import Pause
from engine.log.filesystem.holding import is_held
from engine.session import Session
from engine.session.host.client import HostError, HostLink
from engine.session.host.note import HostNote, read_notes
from engine.session.host.processes import descendants, wait_for_end
from engine.session.host.protocol import (
    PROTOCOL,
    FrameReader,
    FromHost,
    Hello,
    Message,
    decode_host,
    frame,
)
from engine.session.host.server import HostServer

VERSION = "1.2.3"
HELLO = Hello(protocol=PROTOCOL, version="9")
NAMES = ("Mini-batch", "SGD")
"""The variants of the host that `Connect` connects to."""


class Hosted:
    """A session whose host answers as it would in its own process."""

    def __init__(self, session: Session, root: Path) -> None:
        self.session = session
        self.server = HostServer(session, VERSION, root=root)
        self.lock = threading.Lock()
        """Held while the host answers: hold it to look at the session."""
        self._is_over = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def note(self) -> HostNote:
        (note,) = read_notes(self.session.run.path)
        return note

    def _serve(self) -> None:
        while not self._is_over:
            with self.lock:
                self.server.serve(0.02)
                self.server.publish(self.session.poll())

    def close(self) -> None:
        self._is_over = True
        self._thread.join()
        self.server.close()


@contextlib.contextmanager
def hosted(session: Session, root: Path) -> Iterator[Hosted]:
    host = Hosted(session, root)
    try:
        yield host
    finally:
        host.close()


class RawClient:
    """A client that sends whatever bytes it likes."""

    def __init__(self, path: str) -> None:
        self.link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.link.connect(path)
        self.link.settimeout(20)
        self._reader = FrameReader()
        self._arrived: list[FromHost] = []

    def send(self, *messages: Message) -> None:
        self.link.sendall(b"".join(map(frame, messages)))

    def receive(self) -> FromHost | None:
        """The next message; None once the host has disconnected."""
        while not self._arrived:
            try:
                data = self.link.recv(1 << 16)
            except ConnectionError:
                data = b""
            if not data:
                return None
            self._arrived += map(decode_host, self._reader.feed(data))
        return self._arrived.pop(0)

    def close(self) -> None:
        self.link.close()


Connect = Callable[[], RawClient]


def end_run(run: Path) -> None:
    """End the host of a run, even one that is just beginning; wait until it is gone."""
    deadline = time.monotonic() + PATIENCE
    while read_notes(run) or is_held(run):
        assert time.monotonic() < deadline
        for note in read_notes(run):
            link = HostLink(run, note, VERSION)
            processes = descendants(note.pid)
            link.end()
            left = wait_for_end(processes, PATIENCE)
            link.close()
            assert left == []
        time.sleep(0.02)


def is_served(host: Hosted) -> bool:
    """True if a new client is greeted and answered."""
    link = HostLink(host.session.run.path, host.note, "9")
    try:
        link.order({"none": Pause(id=0)})
    except HostError as error:
        return "no variant" in str(error)
    finally:
        link.close()
    return False
