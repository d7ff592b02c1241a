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
    """Saving some was not enough: the debt has become the largest, until half of it is paid off."""

    @property
    def factor(self) -> int:
        """Factor by which what is drawn at intervals is rarer."""
        return 2 if self is Thrift.MUCH else 1

    @property
    def most_skipped(self) -> int:
        """Frames in a row that may do without a read of new losses."""
        return 3 if self is Thrift.MUCH else 1


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

    def thrift(self) -> Thrift:
        """The thrift that the next frame needs."""
        now, used = self._clock(), self._used()
        gained = self._share * (now - self._at) - (used - self._used_then)
        self._at, self._used_then = now, used
        most = self._share * _KEPT_SECONDS
        self._left = min(max(self._left + gained, -most), most)
        if self._left == -most:
            self._thrift = Thrift.MUCH
        elif self._left >= 0:
            self._thrift = Thrift.NONE
        elif self._thrift is Thrift.NONE or self._left >= -most / 2:
            self._thrift = Thrift.SOME
        return self._thrift
