"""A line to draw: positions, and the lowest and highest value at each."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Axis(StrEnum):
    """The unit of x. A batch is drawn at the position *before* it, where it began."""

    SAMPLES = "samples"
    UPDATES = "updates"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True, eq=False)
class Polyline:
    """Arrays `x`, `low` and `high` (float64) of the same length, x ascending.

    Polylines are equal if they are the same object; `is_like` compares their entries.

    One entry per batch if there is room for all (then low == high), else one entry per column of
    dots with at least one batch. NaN in low and high is a gap, which breaks the line.
    """

    x: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def is_empty(self) -> bool:
        return self.x.size == 0

    def is_like(self, other: "Polyline", count: int | None = None) -> bool:
        """True if all entries are the same, including gaps.

        With `count`, compares only the first `count` entries, which both must have.
        """
        if self is other:
            return True
        if count is None:
            count = self.x.size
            if count != other.x.size:
                return False
        pairs = ((self.x, other.x), (self.low, other.low), (self.high, other.high))
        return all(mine[:count].tobytes() == theirs[:count].tobytes() for mine, theirs in pairs)


def _nothing() -> NDArray[np.float64]:
    return np.empty(0, np.float64)


EMPTY = Polyline(_nothing(), _nothing(), _nothing())
