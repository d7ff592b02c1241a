"""Answers the clients of a host, in the loop of the process that owns the session.

Knows sockets and the session, and nothing of logs or of a screen. No client can keep it busy: a
client's bytes are read in portions, an unfinished message is bounded, and a client that does not
read its answers is disconnected.
"""

import os
import selectors
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from engine.log.filesystem.identity import FileIdentity
from engine.log.notices import Notice, NoticeKind
from engine.session.host.address import AddressError, is_same_user
from engine.session.host.connection import Connection, RateLimit, watch
from engine.session.host.orders import Orders
from engine.session.host.protocol import (
    PROTOCOL,
    Done,
    EndHost,
    Farewell,
    FromClient,
    Hello,
    HoldTerminal,
    HostEnds,
    Message,
    Notices,
    Order,
    ProtocolError,
    Refusal,
    Welcome,
    version_refusal,
)
from engine.session.host.resources.listener import Listener
from engine.session.host.resources.terminal import HeldTerminal, common_size
from engine.session.hosted import Hosted, OrderError

_MOST_VIEWERS: Final = 100
_MOST_CLIENTS: Final = 130
"""More than the viewers: some room is always left for commands."""
_GREETING_SECONDS: Final = 5.0
_CHECK_SECONDS: Final = 15.0
"""Seconds between two checks that the socket's file is still there."""
_LASTING: Final = (NoticeKind.LOG_BLOCKED, NoticeKind.LOG_GONE)


class HostServer:
    """The socket of a host. Everything happens in `serve`, in the caller's thread."""

    def __init__(
        self,
        session: Hosted,
        version: str,
        *,
        root: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        starter: socket.socket | None = None,
    ) -> None:
        """Listen, and leave a note in the run directory.

        `root` stands for /tmp. `starter`: the connection to the process that started this one.
        Raises AddressError, with nothing left behind. With a `starter`, `trouble` has the error.
        """
        self.trouble = ""
        """Why no other process can command this run; empty if they can."""
        self._session, self._version, self._clock = session, version, clock
        self._orders = Orders(session)
        self._run = FileIdentity.of(session.run.path.resolve())
        self._selector = selectors.DefaultSelector()
        self._clients: list[Connection] = []
        """The oldest first."""
        self._accepting = RateLimit(clock)
        self._lasting: dict[str | None, Notice] = {}
        self._terminals: list[HeldTerminal] = []
        """Those of killed viewers that take no output yet."""
        self._check_at = clock() + _CHECK_SECONDS
        self.has_ended = False
        """True while the host only waits for commands, as far as its process has told."""
        self.is_end_asked = False
        """True once a client has asked for the end of this host."""
        self._listener: Listener | None = None
        self.path = Path()
        """The socket's file."""
        self._listen(root, must_listen=starter is None)
        if starter is not None:
            self._take_in(starter)

    def _listen(self, root: Path | None, *, must_listen: bool) -> None:
        try:
            names = tuple(self._session.wanted)
            self._listener = Listener(self._session.run, self._version, root, names)
        except AddressError as error:
            self.trouble = str(error)
            if must_listen:
                self._selector.close()
                raise
        else:
            self.path = self._listener.path
            self._selector.register(self._listener.socket, selectors.EVENT_READ)

    @property
    def viewers(self) -> int:
        """The number of screens connected."""
        return sum(client.is_viewer for client in self._clients)

    @property
    def screen_size(self) -> tuple[int, int] | None:
        """Rows and columns that fit all screens connected; None if none is known."""
        return common_size(client.terminal for client in self._clients)

    # --- The loop -------------------------------------------------------------------------------

    def serve(self, timeout: float | None) -> None:
        """Wait up to `timeout` seconds, or without limit if None, and answer what has arrived."""
        for key, events in self._selector.select(self._patience(timeout)):
            if key.data is None:
                self._accept()
                continue
            client: Connection = key.data
            if events & selectors.EVENT_READ:
                self._read(client)
            if events & selectors.EVENT_WRITE:
                self._flush(client)
        self._check()

    def fileno(self) -> int:
        """A descriptor that becomes readable when `serve` has something to do."""
        return self._selector.fileno()

    def publish(self, notices: Iterable[Notice]) -> None:
        """Send notices to all viewers; those that last are also for viewers yet to come."""
        notices = tuple(notices)
        for notice in notices:
            if notice.kind in _LASTING:
                self._lasting[notice.variant] = notice
            elif notice.kind is NoticeKind.LOG_UNBLOCKED:
                self._lasting.pop(notice.variant, None)
        if notices:
            for client in [client for client in self._clients if client.is_viewer]:
                self._send(client, Notices(notices=notices))

    def close(self) -> None:
        """Disconnect all clients, and remove the socket and the note. Safe to repeat."""
        for client in [*self._clients]:
            if client.is_viewer:
                self._send(client, HostEnds())
            self._drop(client)
        self._selector.close()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    # --- Clients --------------------------------------------------------------------------------

    def _accept(self) -> None:
        self._accepting.spend(1)
        if self._listener is None or (link := self._listener.accept()) is None:
            return
        if not is_same_user(link):
            link.close()
            return
        if len(self._clients) >= _MOST_CLIENTS:
            self._drop(min(self._clients, key=lambda each: (each.is_viewer, each.is_greeted)))
        self._take_in(link)

    def _take_in(self, link: socket.socket) -> None:
        self._clients.append(Connection(link, self._clock() + _GREETING_SECONDS, self._clock))
        self._watch(self._clients[-1])

    def _read(self, client: Connection) -> None:
        try:
            for message in client.receive():
                self._heed(client, message)
                if client.is_leaving or client not in self._clients:
                    return
        except ConnectionError:
            self._lose(client)
        except ProtocolError as error:
            self._refuse(client, f"not understood: {error}")
        self._watch(client)

    def _watch(self, client: Connection) -> None:
        """Wait for what the client may do next; nothing after it has been dropped."""
        if client in self._clients:
            watch(self._selector, client.link, client.events, client)

    def _heed(self, client: Connection, message: FromClient) -> None:
        if isinstance(message, Hello):
            self._greet(client, message)
        elif not client.is_greeted:
            self._refuse(client, "not understood: a request before the greeting")
        elif isinstance(message, Order):
            self._send(client, self._obey(client, message))
        elif isinstance(message, HoldTerminal):
            client.hold_terminal(message)
        elif isinstance(message, Farewell):
            self._drop(client)
        else:
            assert isinstance(message, EndHost)
            self.is_end_asked = True
            self._send(client, Done(number=message.number))

    def _greet(self, client: Connection, hello: Hello) -> None:
        if hello.protocol != PROTOCOL:
            self._refuse(client, version_refusal(self._version, hello))
            return
        if hello.is_viewer and not client.is_viewer and self.viewers >= _MOST_VIEWERS:
            self._refuse(client, f"the host already has {_MOST_VIEWERS} screens")
            return
        client.is_greeted, client.is_viewer = True, hello.is_viewer
        self._send(
            client,
            Welcome(
                protocol=PROTOCOL,
                version=self._version,
                pid=os.getpid(),
                run=self._run,
                viewers=self.viewers,
                epochs=self._session.epochs,
                settings=dict(self._session.wanted),
                notices=tuple(self._lasting.values()),
                has_ended=self.has_ended,
            ),
        )

    def _obey(self, client: Connection, order: Order) -> Message:
        try:
            sent = self._orders.obey(client, order)
        except OrderError as error:
            return Refusal(number=order.number, reason=str(error))
        return Done(number=order.number, sent=sent)

    def _refuse(self, client: Connection, reason: str) -> None:
        """Say why, then disconnect."""
        client.is_leaving = True
        self._send(client, Refusal(reason=reason))

    def _send(self, client: Connection, message: Message) -> None:
        client.put(message)
        self._flush(client)

    def _flush(self, client: Connection) -> None:
        try:
            if not client.flush():
                self._drop(client)
        except ConnectionError:
            self._lose(client)
        self._watch(client)

    def _lose(self, client: Connection) -> None:
        """Disconnect a client that has gone without a farewell, and restore its terminal."""
        terminal, client.terminal = client.terminal, None
        self._drop(client)
        if terminal is not None and not terminal.restore():
            self._terminals.append(terminal)

    def _drop(self, client: Connection) -> None:
        if client in self._clients:
            self._clients.remove(client)
            watch(self._selector, client.link, 0)
            client.close()
            self._orders.leave(client)

    # --- What time brings -----------------------------------------------------------------------

    def _patience(self, timeout: float | None) -> float | None:
        """Seconds to wait: until the caller's time, a late greeting, a rest, or the next check."""
        times = [client.deadline for client in self._clients if not client.is_greeted]
        limits = [self._accepting, *(client.limit for client in self._clients)]
        times += [each.rests_until for each in limits if each.is_used_up]
        left = max(0.0, min([self._check_at, *times]) - self._clock())
        return left if timeout is None else min(timeout, left)

    def _check(self) -> None:
        now = self._clock()
        for client in [*self._clients]:
            if not client.is_greeted and now >= client.deadline:
                self._drop(client)
            self._watch(client)
        self._terminals = [each for each in self._terminals if not each.restore()]
        if self._listener is not None:
            accepting = 0 if self._accepting.is_used_up else selectors.EVENT_READ
            watch(self._selector, self._listener.socket, accepting)
        if now >= self._check_at:
            self._check_at = now + _CHECK_SECONDS
            self._restore()

    def _restore(self) -> None:
        """Make the socket's file again if it has vanished or is another; clients stay connected."""
        if self._listener is None:
            return
        before = self._listener.socket
        if (fresh := self._listener.renew()) is not None:
            watch(self._selector, before, 0)
            before.close()
            self._selector.register(fresh, selectors.EVENT_READ)
