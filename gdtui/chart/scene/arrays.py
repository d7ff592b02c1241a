"""The types of numpy arrays used for charts, and their median."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def median(values: Floats) -> float:
    """The middle value, or the mean of the two; without NaN. numpy's takes ten times as long."""
    middle, ordered = values.size // 2, np.sort(values)
    if values.size % 2:
        return float(ordered[middle])
    return float(ordered[middle - 1] + ordered[middle]) / 2
