"""The processes of a host: which there are, and when they have ended."""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_LOOK_SECONDS: Final = 0.02
"""Seconds between two looks, on systems that cannot report the end of a process."""
_PROC: Final = Path("/proc")


def descendants(pid: int) -> set[int]:
    """The process and all that came out of it and run now; only itself if there is no /proc."""
    parents: dict[int, list[int]] = {}
    for folder in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            parents.setdefault(int(_fields(folder)[1]), []).append(int(folder.name))
    found, left = {pid}, [pid]
    while left:
        children = parents.get(left.pop(), [])
        left += [child for child in children if child not in found]
        found.update(children)
    return found


def is_alive(pid: int) -> bool:
    """True while the process runs; false for one that only waits for its parent to notice."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError, IndexError):
        return _fields(_PROC / str(pid))[0] != "Z"
    return not _PROC.is_dir() or (_PROC / str(pid)).exists()


def wait_for_end(pids: Iterable[int], seconds: float) -> list[int]:
    """Wait until these processes have ended, at most this long; returns those that have not."""
    deadline = time.monotonic() + seconds
    for pid in pids:
        _wait(pid, deadline)
    return [pid for pid in pids if is_alive(pid)]


def end_others() -> None:
    """Kill all processes that came out of this one, such as a fork server that imports torch."""
    for pid in descendants(os.getpid()) - {os.getpid()}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def is_ready(file: int | socket.socket, event: int, seconds: float) -> bool:
    """True once poll() reports the event within so long; select() refuses descriptors > 1,023."""
    poll = select.poll()
    poll.register(file, event)
    return bool(poll.poll(seconds * 1000))


def _wait(pid: int, deadline: float) -> None:
    try:
        watched = os.pidfd_open(pid)
    except (AttributeError, OSError):
        while is_alive(pid) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        return
    try:
        is_ready(watched, select.POLLIN, max(0.0, deadline - time.monotonic()))
    finally:
        os.close(watched)


def _fields(folder: Path) -> list[str]:
    """State, parent and so on, as in proc(5), after the name of the program."""
    return (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
