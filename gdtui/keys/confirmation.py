"""Asks before a key does what cannot be undone: only the second press in a while confirms."""

import time
from collections.abc import Callable
from typing import Final

_SECONDS: Final = 6.0
"""As long as the question is on the screen, about."""


class Confirmation:
    """Waits for the second press about the same thing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds since an arbitrary start."""
        self._clock = clock
        self._asked: tuple[str, float] | None = None

    def confirms(self, about: str) -> bool:
        """True for the second press about this; the first one asks."""
        asked, now = self._asked, self._clock()
        if asked is not None and asked[0] == about and now - asked[1] <= _SECONDS:
            self._asked = None
            return True
        self._asked = about, now
        return False
