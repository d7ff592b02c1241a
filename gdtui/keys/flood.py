"""Judges whether a key's effect is shown at once: a flood of keys is shown now and then.

A held key, a paste or a script may press a thousand keys a second. Each changes what is wanted;
only the newest state is worth a picture. Knows no key and no screen.
"""

import time
from collections.abc import Callable
from typing import Final

_AT_ONCE: Final = 8
"""Keys in a row that are each shown: more than fingers press in the time that a picture takes."""
_A_SECOND: Final = 10.0
"""Pictures a second that a flood may cause, beside those of the timer."""


class KeyFlood:
    """Pictures that keys may cause: some at once, then so many a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds from any start."""
        self._clock = clock
        self._left = float(_AT_ONCE)
        self._refilled = clock()

    def may_show(self) -> bool:
        """True: show the effect of this key now. False: show it with the next picture."""
        now = self._clock()
        self._left = min(self._left + _A_SECOND * (now - self._refilled), float(_AT_ONCE))
        self._refilled = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
