"""Detects when the terminal hangs up without a SIGHUP because another process leads its session.

Reads and writes nothing there.
"""

import select
import threading
from collections.abc import Callable

_GONE = select.POLLHUP | select.POLLERR


def when_gone(fd: int, tell: Callable[[], object]) -> None:
    """Call `tell` once, from a separate thread, when the terminal at `fd` hangs up.

    It costs nothing until then. If poll(2) does not support terminals (old macOS), `tell` is never
    called.
    """

    def wait() -> None:
        if _is_hung_up(fd, None):
            tell()

    threading.Thread(target=wait, name="gdtui-terminal", daemon=True).start()


def is_gone(fd: int) -> bool:
    """True when the terminal at `fd` is hung up."""
    return _is_hung_up(fd, 0)


def _is_hung_up(fd: int, milliseconds: int | None) -> bool:
    poll = select.poll()
    poll.register(fd, 0)  # errors and hangups are always reported
    return any(event & _GONE for _, event in poll.poll(milliseconds))
