"""A client's connection as its host keeps it, with the bytes that wait in either direction."""

import selectors
import socket
from collections.abc import Iterator
from typing import Final

from engine.session.host.protocol import FrameReader, FromClient, Message, decode_client, frame

_PORTION: Final = 1 << 16
"""Bytes read from a client before the next one gets its turn."""
_MOST_UNREAD: Final = 4 << 20
"""Bytes of answers that a client may leave unread."""


class Connection:
    """A connection; nothing in it blocks."""

    def __init__(self, link: socket.socket, deadline: float) -> None:
        """`deadline`: the time by which the client must have greeted."""
        self.link = link
        self.deadline = deadline
        self.is_greeted = self.is_viewer = False
        self.is_leaving = False
        """True once it is to be closed as soon as its last answer is sent."""
        self.holds = False
        """True while its last order made training wait for it."""
        self._reader = FrameReader()
        self._waiting = bytearray()

    def receive(self) -> Iterator[FromClient]:
        """Yield the messages that have arrived.

        Raises ConnectionError if the client has gone, ProtocolError for rubbish.
        """
        try:
            data = self.link.recv(_PORTION)
        except BlockingIOError:
            return
        except OSError as error:
            raise ConnectionError from error
        if not data:
            raise ConnectionError
        for message in self._reader.feed(data):
            yield decode_client(message)

    def put(self, message: Message) -> None:
        """Queue a message."""
        self._waiting += frame(message)

    def flush(self) -> bool:
        """Send what fits; False if the connection is over."""
        try:
            while self._waiting:
                del self._waiting[: self.link.send(self._waiting)]
        except BlockingIOError:
            return len(self._waiting) <= _MOST_UNREAD
        except OSError:
            return False
        return not self.is_leaving

    @property
    def events(self) -> int:
        """The events to wait for."""
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if self._waiting else 0)
