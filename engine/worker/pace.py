"""When the next updates may start, so that all variants grow together on the sample axis."""

import math
from typing import Final

from engine.settings import Resolved

LEEWAY: Final = 0.25
"""Seconds that a variant may lag and still catch up; one that lags more is behind and owes nothing."""

_ROUNDING: Final = 1e-9


class Pacer:
    """At p epochs a second an update may start once p × time ≥ the epochs already done.

    Both count from when the pace was set or training resumed. `now` is any clock in seconds.
    """

    def __init__(self, pace: float, now: float, epochs_done: float) -> None:
        self.pace = pace
        self.behind = False
        self._origin = now - epochs_done / pace
        """When epoch 0 would have had to start."""

    def starts_at(self, epochs_done: float) -> float:
        """When the update that follows `epochs_done` epochs may start."""
        return self._origin + epochs_done / self.pace

    def updates_due(self, now: float, epochs_done: float, epochs_per_update: float) -> int:
        """How many updates may start by `now`; none when it is too early for the next."""
        lag = self.pace * (now - self._origin) - epochs_done
        if lag < -_ROUNDING:
            return 0
        return math.floor(lag / epochs_per_update + _ROUNDING) + 1

    def note_progress(self, now: float, epochs_done: float) -> None:
        """Tell how far training got: who lags more than LEEWAY is behind, and the rest is forgiven."""
        lag = now - self.starts_at(epochs_done)
        self.behind = lag > LEEWAY
        if self.behind:
            self._origin += lag - LEEWAY


def epochs_per_update(settings: Resolved, n: int) -> float:
    """The share of an epoch that one update takes."""
    return settings.effective_batch / n
