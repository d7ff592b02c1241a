"""The gap between losses, and the width up to which several curves count as one. No torch."""

from collections.abc import Collection
from typing import Final

FOLDED: Final = 0.01
"""Losses on all data no further apart than this count as the same: their curves have folded.

Twice the widest gap under linear scaling on the lesson's problem (0.005, mean of 20 seeds) and a
sixtieth of the gap without it (0.63).
"""


def gap(losses: Collection[float]) -> float:
    """The distance between the lowest and the highest; ValueError without any."""
    return max(losses) - min(losses)


def have_folded(losses: Collection[float]) -> bool:
    """True when all lie within FOLDED; ValueError without any."""
    return gap(losses) <= FOLDED
