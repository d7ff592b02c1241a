"""When a compiled step is worth its build: from the speed of the eager step and what is left."""

from collections import deque
from typing import Final

from engine.log.records import Chunk

FIRST_SECONDS: Final = 0.3
"""Training time after which the size of a call can be chosen: the first updates are slow."""
_KNOWN: Final = 3.0
"""Training time from which the speed of the eager step is known, in FIRST_SECONDS."""
_LEAST_LEFT: Final = 60.0
"""Seconds of training that must be left for a build that takes up to a minute of another core."""
_OPERATION: Final = 25e-6
"""Processor seconds of an eager operation above which arithmetic takes up the time.

Measured with one thread: 5–8 µs in Linear(10,1) and the MLP on digits at batches 1 and 64, 18 µs in
digits-cnn at 8 and 35 µs at 64, 81 µs in char-lm at 32.
"""
_WINDOW: Final = 2.0
"""Seconds of training over which the speed is averaged."""
_LONGEST_CALL: Final = 0.1
"""Seconds that a call may take at the eager step's speed, so that keys act within 0.1 s."""


class EagerSpeed:
    """Updates per second of training time that the eager step did last, under some settings."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, float, float]] = deque()
        self.updates = self.seconds = self.processor = 0.0
        self.trained = 0.0
        """Seconds of training so far."""

    def add(self, chunk: Chunk, processor: float) -> None:
        """Count a chunk, and the processor seconds of its thread; not one of a compiled step.

        Nor the first update of all, in which torch makes what it makes once.
        """
        if chunk.compiled:
            return
        self.trained += chunk.duration
        if chunk.update == 1:
            return
        updates = chunk.batches / chunk.accumulation_steps
        self._recent.append((updates, chunk.duration, processor))
        self._sum(1, self._recent[-1])
        while len(self._recent) > 1 and self.seconds - self._recent[0][1] > _WINDOW:
            self._sum(-1, self._recent.popleft())

    def _sum(self, sign: int, part: tuple[float, float, float]) -> None:
        updates, seconds, processor = part
        self.updates += sign * updates
        self.seconds += sign * seconds
        self.processor += sign * processor

    @property
    def per_second(self) -> float:
        """Updates per second; 0 if unknown."""
        return self.updates / self.seconds if self.seconds > 0 else 0.0

    @property
    def is_known(self) -> bool:
        """True once it was measured for long enough."""
        return self.trained >= _KNOWN * FIRST_SECONDS and self.updates > 0


def has_begun(speed: EagerSpeed) -> bool:
    """True once the first updates, which are slow, are over."""
    return speed.trained >= FIRST_SECONDS and speed.updates > 0


def is_worth_a_build(speed: EagerSpeed, updates_left: float, pace: float | None) -> bool:
    """True if training as fast as it can will take long enough with the eager step."""
    return pace is None and speed.is_known and updates_left / speed.per_second >= _LEAST_LEFT


def least_operations(speed: EagerSpeed) -> int:
    """Operations that an update must have if their overhead is to take up its time.

    By processor time, since others' work on the same cores makes every operation look long.
    """
    return int(speed.processor / speed.updates / _OPERATION) if speed.updates > 0 else 0


def most_updates(speed: EagerSpeed) -> int | None:
    """Updates that a call may have, as a power of two; None if any number is quick enough."""
    if not speed.per_second or (fitting := int(_LONGEST_CALL * speed.per_second)) >= 64:
        return None
    return 1 << max(fitting, 1).bit_length() - 1
