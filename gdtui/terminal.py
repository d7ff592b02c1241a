"""Tells when the terminal is gone: a hangup that no SIGHUP came for, since another process leads its session.

Reads and writes nothing there.
"""

import select
import threading
from collections.abc import Callable


def when_gone(fd: int, tell: Callable[[], object]) -> None:
    """Call `tell` once, from a thread of its own, when the terminal at `fd` is hung up; it costs nothing
    until then. Where poll(2) knows no terminals (old macOS), nobody is told.
    """
    poll = select.poll()
    poll.register(fd, 0)  # an error and a hangup are always told

    def wait() -> None:
        if any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll()):
            tell()

    threading.Thread(target=wait, name="gdtui-terminal", daemon=True).start()
