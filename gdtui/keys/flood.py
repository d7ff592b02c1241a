"""Decides if a key's effect is shown at once; in a flood of keys, only some are.

A held key, a paste or a script may press a thousand keys a second. Each changes the requested
state, and only the newest is worth drawing. Knows no key and no screen.
"""

import time
from collections.abc import Callable
from typing import Final

_AT_ONCE: Final = 8
"""Successive keys that are each shown: more than fingers can press in the time of one frame."""
_A_SECOND: Final = 10.0
"""Frames per second that a flood may cause, in addition to those of the timer."""


class KeyFlood:
    """Limits the frames that keys may cause: some at once, then this many per second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds since an arbitrary start."""
        self._clock = clock
        self._left = float(_AT_ONCE)
        self._refilled = clock()

    def may_show(self) -> bool:
        """True to show the effect of this key now, False to show it with the next frame."""
        now = self._clock()
        self._left = min(self._left + _A_SECOND * (now - self._refilled), float(_AT_ONCE))
        self._refilled = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
