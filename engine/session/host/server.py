"""Answers the clients of a host, in the loop of the process that owns the session.

Knows sockets and the session, and nothing of logs or of a screen. No client can keep it busy: a
client's bytes are read in portions, an unfinished message is bounded, and a client that does not
read its answers is disconnected.
"""

import contextlib
import os
import selectors
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from engine.log.directory import RunDirectory
from engine.log.filesystem.identity import FileIdentity, absence
from engine.log.notices import Notice, NoticeKind
from engine.session.host import note, orders
from engine.session.host.address import (
    AddressError,
    boot_id,
    host_name,
    is_same_user,
    listen,
    make_socket_directory,
    new_socket_path,
    remove_dead_sockets,
)
from engine.session.host.connection import Connection, RateLimit, watch
from engine.session.host.protocol import (
    PROTOCOL,
    Done,
    EndHost,
    FromClient,
    Hello,
    Message,
    Notices,
    Order,
    ProtocolError,
    Refusal,
    Welcome,
)
from engine.session.hosted import Hosted

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
    ) -> None:
        """Listen, and leave a note in the run directory.

        `root` stands for /tmp. Raises AddressError, with nothing left behind.
        """
        self._session, self._version, self._clock = session, version, clock
        self._run = FileIdentity.of(session.run.path.resolve())
        folder = make_socket_directory() if root is None else make_socket_directory(root)
        remove_dead_sockets(folder)
        self._folder, self.path = folder, new_socket_path(folder)
        self._selector = selectors.DefaultSelector()
        self._clients: list[Connection] = []
        """The oldest first."""
        self._accepting = RateLimit(clock)
        self._lasting: dict[str | None, Notice] = {}
        self._check_at = clock() + _CHECK_SECONDS
        self.has_ended = False
        """True while the host only waits for commands, as far as its process has told."""
        self.is_end_asked = False
        """True once a client has asked for the end of this host."""
        self._listener = self._listen()
        try:
            self._note = note.write_note(session.run, self._describe(session.run))
        except OSError as error:
            self.close()
            raise AddressError(f"cannot write to {session.run.path}: {error.strerror}") from None

    def _describe(self, run: RunDirectory) -> note.HostNote:
        return note.HostNote(
            version=self._version,
            host=host_name(),
            boot=boot_id(),
            pid=os.getpid(),
            socket=str(self.path),
            began=time.time(),
            variants=tuple(variant.name for variant in run.info.settings.variants),
        )

    def _listen(self) -> socket.socket:
        listener = listen(self.path)
        self._bound = FileIdentity.of(self.path)
        self._selector.register(listener, selectors.EVENT_READ)
        return listener

    @property
    def viewers(self) -> int:
        """The number of screens connected."""
        return sum(client.is_viewer for client in self._clients)

    # --- The loop -------------------------------------------------------------------------------

    def serve(self, timeout: float | None) -> None:
        """Wait up to `timeout` seconds, or without limit if None, and answer what has arrived."""
        for key, events in self._selector.select(self._patience(timeout)):
            if key.fileobj is self._listener:
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
            self._drop(client)
        if self._listener.fileno() >= 0:
            self._listener.close()
            self._selector.close()
            with contextlib.suppress(OSError):
                self.path.unlink()
            if hasattr(self, "_note"):
                note.remove_note(self._note)

    # --- Clients --------------------------------------------------------------------------------

    def _accept(self) -> None:
        self._accepting.spend(1)
        try:
            link, _ = self._listener.accept()
        except OSError:  # the client has gone, or this process has no descriptor left
            return
        if not is_same_user(link):
            link.close()
            return
        link.setblocking(False)
        if len(self._clients) >= _MOST_CLIENTS:
            self._drop(min(self._clients, key=lambda each: (each.is_viewer, each.is_greeted)))
        client = Connection(link, self._clock() + _GREETING_SECONDS, self._clock)
        self._clients.append(client)
        self._watch(client)

    def _read(self, client: Connection) -> None:
        try:
            for message in client.receive():
                self._heed(client, message)
                if client.is_leaving:
                    return
        except ConnectionError:
            self._drop(client)
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
        else:
            assert isinstance(message, EndHost)
            self.is_end_asked = True
            self._send(client, Done(number=message.number))

    def _greet(self, client: Connection, hello: Hello) -> None:
        if hello.protocol != PROTOCOL:
            self._refuse(
                client,
                f"the host runs gdtui {self._version} (protocol {PROTOCOL}), this is gdtui "
                f"{hello.version} (protocol {hello.protocol}): use the host's version",
            )
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
            sent = orders.obey(self._session, order.commands)
        except orders.OrderError as error:
            return Refusal(number=order.number, reason=str(error))
        client.holds = order.is_hold
        return Done(number=order.number, sent=sent)

    def _refuse(self, client: Connection, reason: str) -> None:
        """Say why, then disconnect."""
        client.is_leaving = True
        self._send(client, Refusal(reason=reason))

    def _send(self, client: Connection, message: Message) -> None:
        client.put(message)
        self._flush(client)

    def _flush(self, client: Connection) -> None:
        if not client.flush():
            self._drop(client)
        self._watch(client)

    def _drop(self, client: Connection) -> None:
        if client in self._clients:
            self._clients.remove(client)
            watch(self._selector, client.link, 0)
            client.link.close()
            if client.holds:  # it made training wait, and cannot resume it any more
                self._session.resume()

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
        accepting = 0 if self._accepting.is_used_up else selectors.EVENT_READ
        watch(self._selector, self._listener, accepting)
        if now >= self._check_at:
            self._check_at = now + _CHECK_SECONDS
            self._restore()

    def _restore(self) -> None:
        """Make the socket's file again if it has vanished or is another; clients stay connected."""
        if not absence(self.path, self._bound):
            return
        with contextlib.suppress(AddressError, OSError):
            make_socket_directory(self._folder.parent)
            self.path.unlink(missing_ok=True)  # its name is this host's alone
            fresh = listen(self.path)
            self._bound = FileIdentity.of(self.path)
            watch(self._selector, self._listener, 0)
            self._listener.close()
            self._listener = fresh
            self._selector.register(fresh, selectors.EVENT_READ)
