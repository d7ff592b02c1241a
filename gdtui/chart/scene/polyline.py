"""A line as it is drawn: positions, and the lowest and highest value at each."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Axis(StrEnum):
    """The unit of x. A batch is drawn where it began: at what was seen *before* it."""

    SAMPLES = "samples"
    UPDATES = "updates"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Polyline:
    """`x` (float64), `low` and `high` (float64), all of one length, x ascending.

    One entry a batch where there is room for each (then low == high), else one entry a column of
    dots with at least one batch in it. NaN in low and high is a gap: the line is broken there.
    """

    x: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def is_empty(self) -> bool:
        return self.x.size == 0

    def is_like(self, other: "Polyline", count: int | None = None) -> bool:
        """True for the same entries, gaps too.

        With a `count` for as many first ones, which both have.
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
