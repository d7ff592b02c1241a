"""The steps that keys take: from a value to the next rung up or down. Pure arithmetic.

A value off its ladder goes to the next rung in that direction. None means that there is none.
"""

import math
from typing import Final

from engine.settings import FULL, BatchSize

PACES: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
"""Epochs per second; above the last rung, the pace is free."""
_LEAST_LR: Final = 1e-9
_MOST_LR: Final = 1e3
MOMENTUM: Final = 0.9


def next_batch_size(size: BatchSize, n: int, step: int) -> BatchSize | None:
    """1, 2, 4 … below n, then full. `step` is 1 up, −1 down; `n`, the training samples."""
    value = n if size == FULL else min(size, n)
    if step > 0:
        if value >= n:
            return None
        rung = 1 << value.bit_length()
        return rung if rung < n else FULL
    if value <= 1:
        return None
    return 1 << ((value - 1).bit_length() - 1)


def next_lr(lr: float, step: int) -> float | None:
    """1, 2, 5 × 10ⁿ."""
    if (step > 0 and lr >= _MOST_LR) or (step < 0 and lr <= _LEAST_LR):
        return None
    power = math.floor(math.log10(lr))
    rungs = [float(f"{m}e{power + k}") for k in (-1, 0, 1) for m in (1, 2, 5)]
    if step > 0:
        return next(rung for rung in rungs if rung > lr * (1 + 1e-9))
    return next(rung for rung in reversed(rungs) if rung < lr * (1 - 1e-9))


def next_accumulation(steps: int, size: BatchSize, n: int, step: int) -> int | None:
    """1, 2, 4 …; stops when an update holds all n samples, or full is cut into single ones."""
    if step < 0:
        return None if steps <= 1 else 1 << ((steps - 1).bit_length() - 1)
    held = steps if size == FULL or size >= n else steps * size
    return None if held >= n else 1 << steps.bit_length()


def next_pace(pace: float | None, step: int) -> tuple[float | None] | None:
    """The next pace in a 1-tuple, since None is also a pace: free, above all others."""
    if step > 0:
        if pace is None:
            return None
        return (next((rung for rung in PACES if rung > pace * (1 + 1e-9)), None),)
    below = [rung for rung in PACES if pace is None or rung < pace * (1 - 1e-9)]
    return (below[-1],) if below else None
