"""Times at which a loss curve crosses a level; pure arithmetic on points (seconds, loss)."""

from collections.abc import Sequence
from itertools import pairwise

Point = tuple[float, float]
"""Seconds of training, and the loss on all training data at that time."""


def loss_at(curve: Sequence[Point], seconds: float) -> float | None:
    """The loss after this much training, interpolated linearly between the points.

    None beyond the last point.
    """
    for (before, high), (after, low) in pairwise(curve):
        if before <= seconds <= after:
            share = (seconds - before) / (after - before) if after > before else 1.0
            return high + share * (low - high)
    return None


def seconds_to(curve: Sequence[Point], loss: float) -> float | None:
    """The time at which the loss first fell to `loss`; None if it never did."""
    if curve and curve[0][1] <= loss:
        return curve[0][0]
    for (before, high), (after, low) in pairwise(curve):
        if low <= loss:
            return before + (after - before) * (high - loss) / (high - low)
    return None


def best_by(curve: Sequence[Point], seconds: float) -> float | None:
    """The lowest loss reached within this time; None without points."""
    reached = [loss for at, loss in curve if at <= seconds]
    end = loss_at(curve, seconds)
    return min([*reached, *([] if end is None else [end])], default=None)
