"""Keeps the screen's share of a core in bounds, which training needs: says when to save.

Counts the processor time of the whole process. What is left over is saved for a while, and what was
used too much is paid off. Knows no screen.
"""

import time
from collections.abc import Callable
from enum import IntEnum
from typing import Final

_FRAME_SECONDS: Final = 0.0049
"""Processor seconds of a frame, with what comes between two: at 10 a second, 5% of a core."""
_KEPT_SECONDS: Final = 1.0
"""Seconds for which savings and debts last: a key may draw at once, and imports at the start take
their time, without a long wait afterwards."""


class Thrift(IntEnum):
    """How much of the drawing that can wait should."""

    NONE = 0
    SOME = 1
    """The time is used up."""
    MUCH = 2
    """Saving some was not enough. MORE and MOST follow where this is not, either."""
    MORE = 3
    MOST = 4

    @property
    def factor(self) -> int:
        """Factor by which what is drawn at intervals is rarer."""
        return max(self, 1)

    @property
    def most_skipped(self) -> int:
        """Frames in a row that may do without a read of new losses."""
        return 3 if self >= Thrift.MUCH else 1


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
        self._thrift = Thrift.NONE

    def thrift(self, most: Thrift) -> Thrift:
        """The thrift that the next frame needs, of at most `most`, which is SOME or above.

        It grows with the largest debt, and is less by one when the debt is paid off; after either,
        half of the largest debt is left, so that the effect can be seen before the next step.
        """
        now, used = self._clock(), self._used()
        gained = self._share * (now - self._at) - (used - self._used_then)
        self._at, self._used_then = now, used
        limit, before = self._share * _KEPT_SECONDS, min(self._thrift, most)
        self._left = min(max(self._left + gained, -limit), limit)
        after = before
        if before is Thrift.NONE:
            after = Thrift.SOME if self._left < 0 else before
        elif self._left >= 0:
            after = Thrift(before - 1)
        elif self._left == -limit:
            after = Thrift(min(before + 1, most))
        if after is not before and Thrift.NONE not in (before, after):
            self._left = -limit / 2
        self._thrift = after
        return after
