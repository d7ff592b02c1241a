"""Asks a terminal whether it shows UTF-8, since a locale without UTF-8 does not rule it out."""

import os
import re
import selectors
import sys
import termios
import time
import tty
from typing import Final

_BRAILLE: Final = "⣿".encode()
"""Three bytes, which take three columns if each is taken for a character."""
_PATIENCE: Final = 0.5
"""Seconds to wait for the answer, enough for a round trip over a slow line."""

_Selector: Final = selectors.PollSelector if sys.platform == "linux" else selectors.SelectSelector
"""On Linux also for descriptors above 1,023; poll(2) of macOS knows no terminals."""


def shows_utf_8(keyboard: int, screen: int, patience: float = _PATIENCE) -> bool:
    """Print a braille character and ask for the cursor position; also True if no answer comes.

    `keyboard`, `screen`: file descriptors of the terminal. What is typed meanwhile is lost.
    """
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard, termios.TCSANOW)
        os.write(screen, b"\r" + _BRAILLE + b"\x1b[6n")
        column = _column(keyboard, time.monotonic() + patience)
        os.write(screen, b"\r\x1b[K")
    finally:
        termios.tcsetattr(keyboard, termios.TCSANOW, before)
    return column is None or column <= 2


def _column(keyboard: int, deadline: float) -> int | None:
    """The cursor's column as the terminal reports it, counted from 1."""
    answer = b""
    with _Selector() as selector:
        selector.register(keyboard, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            answer += os.read(keyboard, 64)
            if found := re.search(rb"\x1b\[\d+;(\d+)R", answer):
                return int(found[1])
    return None
