"""Keeps the screen's share of a core in bounds, which training needs: says when it is used up.

Counts the processor time of the whole process. What is left over is saved for a while, and what was
used too much is paid off. Knows no screen.
"""

import time
from collections.abc import Callable
from typing import Final

_FRAME_SECONDS: Final = 0.0045
"""Processor seconds of a frame: at 10 frames a second, with what comes between them, 5% of a core.
"""
_KEPT_SECONDS: Final = 1.0
"""Seconds for which savings and debts last: a key may draw at once, and imports at the start take
their time, without a long wait afterwards."""


class DrawingBudget:
    """Processor time that may be used."""

    def __init__(
        self,
        frame_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.process_time,
    ) -> None:
        """For a frame every `frame_seconds`; both clocks return seconds since any start."""
        self._share, self._clock, self._used = _FRAME_SECONDS / frame_seconds, clock, used
        self._at, self._used_then = clock(), used()
        self._left = 0.0

    def is_spent(self) -> bool:
        """True while more has been used than the share of the time that has passed."""
        now, used = self._clock(), self._used()
        gained = self._share * (now - self._at) - (used - self._used_then)
        self._at, self._used_then = now, used
        most = self._share * _KEPT_SECONDS
        self._left = min(max(self._left + gained, -most), most)
        return self._left < 0
