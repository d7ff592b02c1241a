"""The messages by which an app makes a process that it has started the host of a run."""

import os
import pickle
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from engine.problems.loader import LoadTask

_SIZE: Final = struct.Struct(">I")
_MOST_FILES: Final = 2


@dataclass(frozen=True, slots=True)
class HostTask:
    """The work of a host."""

    linger: float
    """Seconds for which it waits for commands after the end while no screen is attached."""
    is_reopened: bool = False
    """True if the run has ended, and trains only once a command asks for it."""
    resumes_to: int | None = None
    """The epochs, in total, up to which a run that has ended goes on; None for another run."""


@dataclass(frozen=True, slots=True)
class Load:
    """A problem to load."""

    task: "LoadTask"
    with_compiler: bool


@dataclass(frozen=True, slots=True)
class Begin:
    """A run to host, whose locks come with this."""

    run: Path
    stored: str
    task: HostTask


def send(link: socket.socket, message: object, files: Sequence[int] = ()) -> None:
    """Send a message and descriptors. Raises OSError."""
    data = pickle.dumps(message)
    socket.send_fds(link, [_SIZE.pack(len(data))], files)
    link.sendall(data)


def receive(link: socket.socket) -> tuple[Any, list[int]]:
    """The next message and the descriptors that came with it; EOFError if there is none."""
    head, files, *_ = socket.recv_fds(link, _SIZE.size, _MOST_FILES)
    data = b""
    if len(head) == _SIZE.size:
        data = link.recv(_SIZE.unpack(head)[0], socket.MSG_WAITALL)
    if not data:
        raise EOFError("the process at the other end has ended")
    for file in files:
        os.set_inheritable(file, False)
    return pickle.loads(data), files
