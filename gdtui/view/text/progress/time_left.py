"""The time that a piece of work will still take, judged by how fast its share done grew of late.

Pure arithmetic on a clock that is handed in.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

_RECENT: Final = 1 / 3
"""Part of the time since the first news over which the speed is measured: phases differ."""
_LEAST: Final = 5.0
"""Seconds over which it is measured at least, where so many have passed."""
_FIRST: Final = 1.0
"""Seconds of news before anything is estimated."""
_RESOLUTION: Final = 100
"""News kept over the recent time, at most: a day's work needs no more memory than a minute's."""


class _News(NamedTuple):
    at: float
    share: float


class TimeLeft:
    """Estimates the seconds left from the shares that it is told.

    The first news only starts the measurement: the time before it went into loading. Between two
    pieces of news the estimate counts down; once the next is overdue, it grows.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds from any start."""
        self._clock = clock
        self._began = 0.0
        self._news: deque[_News] = deque()
        self._step = 0.0
        """Growth of the share at the last news."""

    def tell(self, share: float) -> None:
        """Take note of the share that is done, 0 to 1; a smaller one than before starts anew."""
        last = self._news[-1].share if self._news else 0.0
        if share < last:
            self._news.clear()
        if share <= 0 or share == last:
            return
        now = self._clock()
        if not self._news:
            self._began = now
        self._step = share - last
        self._append(_News(now, share))

    def _append(self, news: _News) -> None:
        window = max((news.at - self._began) * _RECENT, _LEAST)
        if len(self._news) > 2 and news.at - self._news[-2].at < window / _RESOLUTION:
            self._news.pop()
        self._news.append(news)
        while len(self._news) > 2 and self._news[1].at <= news.at - window:
            self._news.popleft()

    @property
    def seconds(self) -> float | None:
        """Seconds left; None while too little is known."""
        if not self._news:
            return None
        first, last = self._news[0], self._news[-1]
        if last.share >= 1:
            return 0.0
        if last.at - first.at < _FIRST:
            return None
        step, now = min(self._step, 1 - last.share), self._clock()
        speed = (last.share - first.share) / (last.at - first.at)
        if now - last.at <= step / speed:
            return (1 - last.share) / speed - (now - last.at)
        speed = (last.share + step - first.share) / (now - first.at)
        return (1 - last.share - step) / speed


def longest(parts: Iterable[float | None]) -> float | None:
    """Seconds until the last of several parts is done, each with so many left; None: not known."""
    known = list(parts)
    return None if None in known else max((each for each in known if each is not None), default=0.0)
