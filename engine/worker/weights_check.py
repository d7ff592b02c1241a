"""The check whether a model's weights are finite, as often as its cost allows."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from engine.worker.pace import CHUNK_SECONDS

if TYPE_CHECKING:
    from engine.training.trainer import Trainer

_SECONDS_A_WEIGHT: Final = 1e-9
_LONG: Final = 1e-3
"""Seconds of a check that is too long to begin with."""
_SLOWDOWN: Final = 500
"""Time between two checks, as a multiple of what one takes: a pass over all weights."""


class WeightsCheck:
    """Finds weights that are not finite, at most every CHUNK_SECONDS."""

    def __init__(self) -> None:
        self._due = math.nan

    def has_failed(self, trainer: Trainer, *, is_last: bool = False) -> bool:
        """True if a weight is not finite; `is_last` checks even if no check is due."""
        start = time.perf_counter()
        if math.isnan(self._due):  # large models train for a while first
            expected = _SECONDS_A_WEIGHT * trainer.objective.size
            self._due = start + (_SLOWDOWN * expected if expected > _LONG else 0.0)
        if start < self._due and not is_last:
            return False
        is_finite = trainer.has_finite_weights()
        now = time.perf_counter()
        self._due = start + max(CHUNK_SECONDS, _SLOWDOWN * (now - start))
        return not is_finite
