"""Estimates the time that work will still take from how fast its completed share grew lately.

Pure arithmetic on a clock passed in.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

_RECENT: Final = 1 / 3
"""Part of the time since the first report over which speed is measured, since phases differ."""
_LEAST: Final = 5.0
"""Minimum duration in seconds over which speed is measured, once that much time has passed."""
_FIRST: Final = 1.0
"""Seconds of reports before anything is estimated."""
_RESOLUTION: Final = 100
"""Maximum number of reports kept, so that a day's work needs no more memory than a minute's."""


class _News(NamedTuple):
    at: float
    share: float


class TimeLeft:
    """Estimates the seconds left from the reported shares.

    The first report only starts the measurement, since the time before it was spent on loading.
    Between two reports the estimate counts down; once the next is overdue, it grows.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds since an arbitrary start."""
        self._clock = clock
        self._began = 0.0
        self._news: deque[_News] = deque()
        self._step = 0.0
        """Growth of the share at the last report."""

    def tell(self, share: float) -> None:
        """Note the completed share, 0 to 1; a smaller one than before restarts the measurement."""
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
    """Seconds until the last of several parts is done, from their seconds left; None if unknown."""
    known = list(parts)
    return None if None in known else max((each for each in known if each is not None), default=0.0)
