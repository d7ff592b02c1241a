"""Addresses of hosts: the private directory of sockets, who is at the other end, this machine.

The directory lies in /tmp, since XDG_RUNTIME_DIR is deleted when its user logs out for the last
time, which is when a run needs its host most.
"""

import contextlib
import errno
import os
import socket
import stat
import struct
import time
from functools import cache
from pathlib import Path
from typing import Final

from engine.log.filesystem.safe_open import DIRECTORY_MODE, FILE_MODE

_ROOT: Final = Path("/tmp")
_SUFFIX: Final = ".sock"
_BACKLOG: Final = 64
_DEAD_SECONDS: Final = 60.0
"""Seconds after which a socket that refuses connections is one whose host was killed.

A younger one may belong to a host that is just about to listen.
"""
_RETRY_SECONDS: Final = 0.02
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_CREDENTIALS: Final = struct.Struct("3i")
"""Process, user and group, as in unix(7)."""


class AddressError(Exception):
    """A directory or socket that cannot be used safely; the message says why and what to do."""


def socket_directory(root: Path = _ROOT) -> Path:
    """The directory of this user's sockets."""
    return root / f"gdtui-{os.getuid()}"


def make_socket_directory(root: Path = _ROOT) -> Path:
    """Create the directory of this user's sockets, or check the existing one.

    Raises AddressError if it belongs to another user, is a link, or is open to other users.
    """
    path = socket_directory(root)
    try:
        with contextlib.suppress(FileExistsError):
            path.mkdir(DIRECTORY_MODE)
            path.chmod(DIRECTORY_MODE)  # whatever the umask
        found = path.lstat()
    except OSError as error:
        raise AddressError(f"cannot create {path}: {error.strerror}") from None
    if not stat.S_ISDIR(found.st_mode):
        raise AddressError(f"{path} is not a directory: remove it, then try again")
    if found.st_uid != os.getuid():
        raise AddressError(
            f"{path} belongs to another user (uid {found.st_uid}): ask for its removal"
        )
    if stat.S_IMODE(found.st_mode) & ~DIRECTORY_MODE:
        raise AddressError(f"{path} is open to other users: chmod 700 {path}")
    return path


def listen(path: Path) -> socket.socket:
    """A socket that listens at `path`, for this user alone. Raises AddressError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        listener.bind(os.fspath(path))
        path.chmod(FILE_MODE)  # whatever the umask
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise AddressError(f"cannot listen at {path}: {error.strerror or error}") from None
    return listener


def new_socket_path(folder: Path) -> Path:
    """A path that no other host uses."""
    return folder / f"{os.urandom(8).hex()}{_SUFFIX}"


def connect(path: str, seconds: float) -> socket.socket:
    """Connect to the socket of a host of this user, waiting at most `seconds`.

    Raises AddressError if no host listens there, or if another user's process does.
    """
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.settimeout(seconds)
        _connect(link, path, time.monotonic() + seconds)
        if not is_same_user(link):
            raise AddressError(f"the process that listens at {path} belongs to another user")
    except OSError as error:
        link.close()
        raise AddressError(f"no host answers at {path}: {_reason(error)}") from None
    except AddressError:
        link.close()
        raise
    return link


def _connect(link: socket.socket, path: str, deadline: float) -> None:
    """Connect, waiting while as many clients wait as the system allows, which no poll() reports."""
    while True:
        try:
            link.connect(path)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError | BlockingIOError):
        return "it is stopped or too busy"
    if isinstance(error, ConnectionRefusedError):
        return "it was killed"
    return error.strerror or str(error)


def is_same_user(link: socket.socket) -> bool:
    """True if the process at the other end belongs to this user, as far as the system tells.

    Without SO_PEERCRED, the mode of the directory alone keeps other users out.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    data = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return bool(_CREDENTIALS.unpack(data)[1] == os.getuid())


def is_dead(path: Path) -> bool:
    """True for the socket of a host that was killed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(os.fspath(path))
        except OSError as error:
            return error.errno in (errno.ECONNREFUSED, errno.ENOENT, errno.ENOTSOCK)
    return False


def remove_dead_sockets(folder: Path) -> None:
    """Remove the sockets that hosts left there when they were killed."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(OSError):
                found = path.lstat()
                is_old = time.time() - found.st_mtime > _DEAD_SECONDS
                if is_old and stat.S_ISSOCK(found.st_mode) and is_dead(path):
                    path.unlink()


def host_name() -> str:
    """The name of this machine."""
    return socket.gethostname()


@cache
def boot_id() -> str:
    """An identifier of this start of this machine; its name if the system has no such identifier.

    Containers of one machine share it.
    """
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return host_name()
