"""A client's connection as its host keeps it, with the bytes that wait in either direction."""

import contextlib
import os
import selectors
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from engine.session.host.protocol import (
    FrameReader,
    FromClient,
    HoldTerminal,
    Message,
    decode_client,
    frame,
)
from engine.session.host.resources.terminal import HeldTerminal

_PORTION: Final = 1 << 14
"""Bytes read from a client before the next one gets its turn."""
_BYTES_OF_ONE: Final = 1 << 12
"""Bytes that count as one message more against a client's rate limit."""
_MOST_UNREAD: Final = 1 << 20
"""Bytes of answers that a client may leave unread."""


class RateLimit:
    """A token bucket: a burst of work is accepted at once, and more of it at a steady rate.

    Without it, a client that sends all the time would keep a core busy that training needs.
    """

    RATE: Final = 200.0
    """Messages or connections a second; a key that is held down repeats 30 times a second."""
    BURST: Final = 400.0

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left, self._as_of = self.BURST, clock()

    def spend(self, amount: float) -> None:
        """Take note of work that was done, if need be on credit."""
        now = self._clock()
        self._left = min(self.BURST, self._left + (now - self._as_of) * self.RATE) - amount
        self._as_of = now

    @property
    def rests_until(self) -> float:
        """The time from which more work is accepted; in the past unless it is used up."""
        return self._as_of - self._left / self.RATE if self._left < 0 else self._as_of

    @property
    def is_used_up(self) -> bool:
        """True while no more work is accepted."""
        return self.rests_until > self._clock()


class Connection:
    """A connection; nothing in it blocks."""

    def __init__(self, link: socket.socket, deadline: float, clock: Callable[[], float]) -> None:
        """`deadline`: the time by which the client must have greeted."""
        link.setblocking(False)
        self.link = link
        self.limit = RateLimit(clock)
        """A client that sends more than this is read later."""
        self.deadline = deadline
        self.is_greeted = self.is_viewer = False
        self.is_leaving = False
        """True once it is to be closed as soon as its last answer is sent."""
        self.terminal: HeldTerminal | None = None
        """The client's terminal, which it takes back with its farewell."""
        self._file: int | None = None
        """A descriptor that has come from the client."""
        self._reader = FrameReader()
        self._waiting = bytearray()

    def receive(self) -> Iterator[FromClient]:
        """Yield the messages that have arrived.

        Raises ConnectionError if the client has gone, ProtocolError for rubbish.
        """
        try:
            data, files, *_ = socket.recv_fds(self.link, _PORTION, 1)
        except BlockingIOError:
            return
        except OSError as error:
            raise ConnectionError from error
        self._take_file(files)
        if not data:
            raise ConnectionError
        self.limit.spend(len(data) / _BYTES_OF_ONE)
        for message in self._reader.feed(data):
            self.limit.spend(1)
            yield decode_client(message)

    def _take_file(self, files: Iterable[int]) -> None:
        for file in files:
            os.set_inheritable(file, False)
            if self._file is not None:
                os.close(self._file)
            self._file = file

    def hold_terminal(self, lent: HoldTerminal) -> None:
        """Hold the client's terminal, of which a descriptor has come."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # not a terminal
                self.release_terminal()
                self.terminal = HeldTerminal(file, lent)

    def release_terminal(self) -> None:
        """Leave the client's terminal to the client."""
        if self.terminal is not None:
            self.terminal.close()
            self.terminal = None

    def close(self) -> None:
        """Disconnect."""
        self.release_terminal()
        self.link.close()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def put(self, message: Message) -> None:
        """Queue a message."""
        self._waiting += frame(message)

    def flush(self) -> bool:
        """Send what fits; False if the client is to be disconnected.

        Raises ConnectionError if it has gone.
        """
        try:
            while self._waiting:
                del self._waiting[: self.link.send(self._waiting)]
        except BlockingIOError:
            return len(self._waiting) <= _MOST_UNREAD
        except OSError as error:
            raise ConnectionError from error
        return not self.is_leaving

    @property
    def events(self) -> int:
        """The events to wait for; 0 for none."""
        reading = 0 if self.limit.is_used_up else selectors.EVENT_READ
        return reading | (selectors.EVENT_WRITE if self._waiting else 0)


def watch(
    selector: selectors.BaseSelector,
    link: socket.socket,
    events: int,
    client: Connection | None = None,
) -> None:
    """Let the selector wait for exactly these events, or no longer know the socket if 0."""
    is_known = link in selector.get_map()
    if events and is_known:
        selector.modify(link, events, client)
    elif events:
        selector.register(link, events, client)
    elif is_known:
        selector.unregister(link)
