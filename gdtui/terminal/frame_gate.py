"""Lets a frame out when the terminal has taken in the last: at most one may be under way.

After a frame the terminal is asked where its cursor is; it answers once it has taken in all that
came before. Until then frames are dropped, so that a slow link has no backlog that keys would wait
behind. A terminal that never answers holds nothing up. Knows no terminal and no frame; any thread
may call.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

QUERY: Final = "\x1b[6n"
"""Device status report: the terminal answers with its cursor's position (ECMA-48, DSR 6)."""
_LOST_SECONDS: Final = 5.0
"""An answer that takes longer never comes: of a terminal that was detached, say."""


class FrameGate:
    """Counts what was asked and what was answered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds from any start."""
        self._clock = clock
        self._lock = threading.Lock()
        self._free = threading.Event()
        self._free.set()
        self._asked_at = 0.0
        self._is_owed = False
        """More was written since the last question."""
        self._does_answer = False
        self._has_dropped = False
        """A frame, since the last one that was drawn."""

    def written(self) -> bool:
        """Something was written; True: ask the terminal now."""
        with self._lock:
            if self._is_waiting:
                self._is_owed = True
                return False
            self._free.clear()
            self._asked_at, self._is_owed = self._clock(), False
            return True

    def answered(self) -> bool:
        """The terminal has answered; True: more was written since it was asked."""
        with self._lock:
            self._does_answer = True
            self._free.set()
            return self._is_owed

    def wait(self, seconds: float) -> bool:
        """Wait for the answer that is still to come; False: there was none in that time."""
        return not self._does_answer or self._free.wait(seconds)

    def begin_frame(self) -> bool:
        """True: draw one now. False while one is still under way: this one is dropped."""
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
