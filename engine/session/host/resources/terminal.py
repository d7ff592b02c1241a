"""The terminal of a viewer, which its host restores if the viewer is killed.

A killed app leaves its terminal in raw mode, on the alternate screen and without a cursor. The host
has a descriptor of the terminal from it. It changes nothing while another program has the terminal.
"""

import contextlib
import os
import socket
import termios
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from engine.session.host.protocol import HoldTerminal, frame

_GIVE_UP_SECONDS: Final = 5.0
"""Seconds for which a terminal that takes no output is tried again."""
_FOREGROUND: Final = 5
"""Index of the foreground process group in /proc/PID/stat, after the name; see proc(5)."""
_LEAVE: Final = (
    b"\x18"  # ends a sequence that was cut off
    b"\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?2048l"
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"
    b"\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l\x1b[0m"
)
"""The sequences that Textual writes when it stops, in one go."""


class LentTerminal:
    """This process's terminal as it was before an app took it, to be lent to the host."""

    def __init__(self, keyboard: int, modes: list[Any]) -> None:
        """`keyboard`: a descriptor of the terminal; `modes`: by tcgetattr, before the app."""
        self._keyboard, self._modes = keyboard, modes

    def lend(self, link: socket.socket) -> None:
        """Send it to the host, while the app uses it. Raises OSError."""
        message = HoldTerminal(
            leader=os.getsid(0),
            group=os.getpgrp(),
            flags=tuple(self._modes[:6]),
            characters=tuple(self._modes[6]),
        )
        name = os.ttyname(self._keyboard)
        file = os.open(name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            socket.send_fds(link, [frame(message)], [file])
        finally:
            os.close(file)


class HeldTerminal:
    """A viewer's terminal, as the host holds it."""

    def __init__(self, file: int, lent: HoldTerminal) -> None:
        """`file` is closed with this. Raises OSError if it is not a terminal."""
        self._file, self._lent = file, lent
        try:
            self._used = termios.tcgetattr(file)
        except termios.error as error:
            os.close(file)
            raise OSError(*error.args) from None
        self._give_up_at = 0.0

    @property
    def size(self) -> tuple[int, int] | None:
        """Rows and columns; None if they are unknown, or once the terminal is gone."""
        with contextlib.suppress(OSError, termios.error):
            rows, columns = termios.tcgetwinsize(self._file)
            return (rows, columns) if rows and columns else None
        return None

    def close(self) -> None:
        """Leave the terminal as it is."""
        os.close(self._file)

    def restore(self) -> bool:
        """Restore it unless another program has it, and close it.

        False if it takes no output at present: to be called again.
        """
        is_done = self._restore(time.monotonic())
        if is_done:
            self.close()
        return is_done

    def _restore(self, now: float) -> bool:
        self._give_up_at = self._give_up_at or now + _GIVE_UP_SECONDS
        with contextlib.suppress(OSError, termios.error):  # it is hung up
            is_raw = termios.tcgetattr(self._file) == self._used
            if not self._is_free(is_raw):
                return True
            if is_raw:
                termios.tcflush(self._file, termios.TCIFLUSH)
                termios.tcsetattr(self._file, termios.TCSANOW, self._before)
            try:
                os.write(self._file, _LEAVE)
            except BlockingIOError:
                return now > self._give_up_at
        return True

    def _is_free(self, is_raw: bool) -> bool:
        """True if the app had it last, or an interactive shell has it again."""
        foreground = _foreground(self._lent.leader)
        if foreground is None:  # this system does not say
            return is_raw
        if foreground == self._lent.group:
            return is_raw
        return foreground == self._lent.leader

    @property
    def _before(self) -> list[Any]:
        return [*self._lent.flags, [*self._lent.characters]]


def common_size(terminals: Iterable[HeldTerminal | None]) -> tuple[int, int] | None:
    """Rows and columns that fit all these terminals; None if no size is known."""
    sizes = [size for each in terminals if each is not None and (size := each.size) is not None]
    return (min(r for r, _ in sizes), min(c for _, c in sizes)) if sizes else None


def _foreground(leader: int) -> int | None:
    """The process group in the foreground of a session's terminal; None if that is unknown."""
    try:
        text = Path(f"/proc/{leader}/stat").read_text(errors="replace")
        return int(text.rpartition(")")[2].split()[_FOREGROUND])
    except (OSError, ValueError, IndexError):
        return None
