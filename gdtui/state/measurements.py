"""Noise scale and sharpness of one generation, as rows to be drawn.

A fold over the records of measurements. It estimates nothing; the tally does the smoothing.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.log.measurements import NoiseScale, Sharpness
from engine.log.records import Measured
from gdtui.history.storage.growing_array import GrowingArray

BATCH, VALUE, LOW, HIGH, SMOOTHED, IS_RELIABLE = range(3, 9)
"""Columns of a row of the noise, after samples, updates and seconds: effective batch in force, the
single measurement with its interval, the smoothed one (NaN while its interval is wide), and 1 or 0.
"""
EDGE, SHARPNESS = range(3, 5)
"""Columns of a row of the sharpness after the same three: 2 ÷ lr in force (NaN if
there is no such bound), the sharpness (NaN if it is not known well).
"""
_WIDTH_NOISE: Final = 9
_WIDTH_SHARPNESS: Final = 5


class Measurements:
    """The measurements of one variant since its last restart."""

    def __init__(self) -> None:
        self.noise = GrowingArray("<f8", _WIDTH_NOISE)
        self.sharpness = GrowingArray("<f8", _WIDTH_SHARPNESS)

    def add(self, record: Measured, smoothed: NoiseScale | None) -> None:
        """Take in the next measurement, and the noise scale's average that includes it."""
        if record.noise is not None and smoothed is not None:
            self.noise.append(_noise_row(record, record.noise, smoothed))
        if record.sharpness is not None:
            self.sharpness.append(_sharpness_row(record, record.sharpness))

    def until(self, samples: int) -> "Measurements":
        """The measurements up to this number of samples."""
        past = Measurements()
        for mine, its in ((self.noise, past.noise), (self.sharpness, past.sharpness)):
            its.append(mine.values[mine.values[:, 0] <= samples])
        return past


def _noise_row(record: Measured, found: NoiseScale, smoothed: NoiseScale) -> NDArray[np.float64]:
    place = record.samples, record.updates, record.seconds
    known = smoothed.value if smoothed.is_reliable else math.nan
    single = found.value, found.low, found.high
    return np.array([(*place, record.effective_batch, *single, known, found.is_reliable)])


def _sharpness_row(record: Measured, found: Sharpness) -> NDArray[np.float64]:
    place = record.samples, record.updates, record.seconds
    edge = math.nan if record.edge is None else record.edge
    return np.array([(*place, edge, found.value if found.is_reliable else math.nan)])
