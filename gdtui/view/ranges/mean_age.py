"""The smoothed line drawn at the mean age of the losses in it, so that it does not lag. Pure.

An average of past losses is that of an earlier moment: on a steep descent, drawn at its newest
batch it would leave the band of the very losses that it averages. It never looks ahead, so that it
ends where its newest average belongs, up to a time constant before the newest batch.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np

from gdtui.chart.drawing.raster import DOTS_X, place
from gdtui.chart.scene.arrays import Floats
from gdtui.chart.scene.picture import Scale
from gdtui.chart.scene.polyline import EMPTY, Axis, Polyline
from gdtui.history import History
from gdtui.view.ranges.origins import from_origin
from gdtui.view.x_range import XRange

_LARGE: Final = 700.0
"""Time constants beyond which nothing is left of a loss."""
_ROUNDS: Final = 6
"""Rounds in which the batch is found whose average belongs to a position."""


def line_at_mean_age(
    history: History,
    axis: Axis,
    seen: XRange,
    columns: int,
    *,
    window: float,
    n: int,
    shared: int = 0,
) -> Polyline:
    """The smoothed losses over `window` epochs of `n` samples, in `columns` columns of dots.

    The line begins at the last of the `shared` batches, if there are any.

    In seconds, the ages are not known, and each average is drawn at its newest batch.
    """
    if not columns or not len(history):
        return EMPTY
    if axis is Axis.SECONDS or not n:
        line = history.smoothed(axis, seen.low, seen.high, columns, window)
        return from_origin(line, history, axis, shared, window)
    size, steps = history.first_sizes()
    unit = 1.0 / (size * steps) if axis is Axis.UPDATES else 1.0
    tau = window * n
    low, high = _averaged(seen, size, tau, unit)
    line = history.smoothed(axis, low, high, columns, window)
    line = from_origin(line, history, axis, shared, window)
    at = line.x - unit * mean_age(line.x / unit, size, tau)
    return _by_column(Polyline(at, line.low, line.high), seen, columns)


@lru_cache(maxsize=64)
def _averaged(seen: XRange, size: int, tau: float, unit: float) -> tuple[float, float]:
    """The positions of the batches whose averages belong to the edges of the window."""
    edges = found = np.array([seen.low, seen.high])
    for _ in range(_ROUNDS):
        found = edges + unit * mean_age(found / unit, size, tau)
    return float(found[0]), float(found[1])


def _by_column(line: Polyline, seen: XRange, columns: int) -> Polyline:
    """One entry per column of dots: at the start, where ages grow, there would be two."""
    cells = -(-columns // DOTS_X)
    column = np.floor(place(line.x, Scale(seen.low, seen.high), cells, DOTS_X))
    begins = np.ones(column.size, np.bool_)
    begins[1:] = column[1:] != column[:-1]
    if begins.all() or not (line.low != line.high).any():  # single batches are points of their own
        return line
    starts = np.flatnonzero(begins)
    low, high = np.fmin.reduceat(line.low, starts), np.fmax.reduceat(line.high, starts)
    return Polyline(line.x[starts], low, high)


def mean_age(samples: Floats, size: int, tau: float) -> Floats:
    """The mean age, in samples, of the losses in the debiased average with time constant `tau`.

    `samples`: those before the newest batch; each batch has `size` of them.
    """
    held = np.maximum(samples, 0.0) + size
    ages: Floats = size / math.expm1(min(size / tau, _LARGE)) - held / np.expm1(
        np.minimum(held / tau, _LARGE)
    )
    return ages
