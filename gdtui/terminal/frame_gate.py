"""Lets a frame out once the terminal has taken in the last one, so that at most one is under way.

After a frame the terminal is asked for its cursor position, and answers once it has taken in
everything before the question. Until then frames are dropped, so that no backlog on a slow link
delays keys. A terminal that never answers holds nothing up. Knows no terminal and no frame;
callable from any thread.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

QUERY: Final = "\x1b[6n"
"""Device status report: the terminal answers with its cursor's position (ECMA-48, DSR 6)."""
_LOST_SECONDS: Final = 5.0
"""Seconds to wait for an answer; a terminal that was detached, for example, never answers."""


class FrameGate:
    """Counts questions and answers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds since an arbitrary start."""
        self._clock = clock
        self._lock = threading.Lock()
        self._free = threading.Event()
        self._free.set()
        self._asked_at = 0.0
        self._is_owed = False
        """True when more has been written since the last question."""
        self._does_answer = False
        self._has_dropped = False
        """True when a frame has been dropped since the last one that was drawn."""

    def written(self) -> bool:
        """Note that something was written; True if the terminal must be asked now."""
        with self._lock:
            if self._is_waiting:
                self._is_owed = True
                return False
            self._free.clear()
            self._asked_at, self._is_owed = self._clock(), False
            return True

    def answered(self) -> bool:
        """Note the terminal's answer; True if more has been written since the question."""
        with self._lock:
            self._does_answer = True
            self._free.set()
            return self._is_owed

    def wait(self, seconds: float) -> bool:
        """Wait for the outstanding answer; False if none came in that time."""
        return not self._does_answer or self._free.wait(seconds)

    def begin_frame(self) -> bool:
        """True to draw a frame now; False while one is still under way, and this one is dropped."""
        with self._lock:
            self._has_dropped = self._does_answer and self._is_waiting
            return not self._has_dropped

    @property
    def has_dropped(self) -> bool:
        """The last frame was: its turn comes with the answer."""
        with self._lock:
            return self._has_dropped

    @property
    def _is_waiting(self) -> bool:
        return not self._free.is_set() and self._clock() - self._asked_at < _LOST_SECONDS
