"""The socket at which a host listens, and the note in the run directory that names it."""

import contextlib
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path

from engine.log.directory import RunDirectory
from engine.log.filesystem.identity import FileIdentity, absence
from engine.session.host.address import (
    AddressError,
    boot_id,
    host_name,
    listen,
    make_socket_directory,
    new_socket_path,
    remove_dead_sockets,
)
from engine.session.host.note import HostNote, remove_note, write_note


class Listener:
    """A listening socket with its file and its note."""

    def __init__(
        self,
        run: RunDirectory,
        version: str,
        root: Path | None = None,
        variants: Iterable[str] = (),
    ) -> None:
        """Listen, and leave a note in the run directory.

        `root` stands for /tmp. `variants`: those that this host trains; all if empty. Raises
        AddressError, with nothing left behind.
        """
        self._variants = tuple(variants)
        self._folder = make_socket_directory() if root is None else make_socket_directory(root)
        remove_dead_sockets(self._folder)
        self.path = new_socket_path(self._folder)
        self._listen()
        try:
            self._note = write_note(run, self._describe(run, version))
        except OSError as error:
            self._close()
            raise AddressError(f"cannot write to {run.path}: {error.strerror}") from None

    def _listen(self) -> None:
        self.socket = listen(self.path)
        self._bound = FileIdentity.of(self.path)

    def _describe(self, run: RunDirectory, version: str) -> HostNote:
        return HostNote(
            version=version,
            host=host_name(),
            boot=boot_id(),
            pid=os.getpid(),
            socket=str(self.path),
            began=time.time(),
            variants=self._variants
            or tuple(variant.name for variant in run.info.settings.variants),
        )

    def accept(self) -> socket.socket | None:
        """A client's connection; None if it has gone, or no descriptor is left for it."""
        try:
            return self.socket.accept()[0]
        except OSError:
            return None

    def renew(self) -> socket.socket | None:
        """Create the socket's file again if it has vanished or is another; returns the new socket.

        The caller closes the earlier one.
        """
        if not absence(self.path, self._bound):
            return None
        with contextlib.suppress(AddressError, OSError):
            make_socket_directory(self._folder.parent)
            self.path.unlink(missing_ok=True)  # its name is this host's alone
            self._listen()
            return self.socket
        return None

    def close(self) -> None:
        """Stop listening; remove the socket's file and the note."""
        self._close()
        remove_note(self._note)

    def _close(self) -> None:
        self.socket.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
