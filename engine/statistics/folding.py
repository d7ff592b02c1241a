"""The distance between losses, and the greatest of curves that count as one. No torch."""

from collections.abc import Collection
from typing import Final

FOLDED: Final = 0.01
"""If losses on all data are at most this far apart, their curves count as folded.

Twice the distance with linear scaling on the lesson's problem (0.005, mean of 20 seeds), and a
sixtieth of that without scaling (0.63).
"""


def distance(losses: Collection[float]) -> float:
    """The difference between the highest and the lowest loss; ValueError if there are none."""
    return max(losses) - min(losses)


def have_folded(losses: Collection[float]) -> bool:
    """True if the distance between the losses is at most FOLDED; ValueError if there are none."""
    return distance(losses) <= FOLDED
