"""The point at which a curve goes on from another one, and at which a ghost leaves it. Pure.

A fork's line begins at the last batch that it shares with the variant it comes from, on that one's
curve. A rewound variant's line is whole, and its ghost begins where the two part.
"""

import numpy as np

from gdtui.chart.scene.polyline import Axis, Polyline
from gdtui.history import History
from gdtui.state.curves import Curves


def shared_by_fork(now: Curves) -> int:
    """The number of batches that a fork shares with its source; 0 if it is not a fork."""
    return now.shared if now.origin is not None and now.origin.variant else 0


def shared_by_ghost(now: Curves | None, then: Curves) -> int:
    """The number of batches that a variant's curve shares with its ghost's."""
    if now is None or (mine := now.origin) is None or mine.variant:
        return 0
    if mine.generation == then.generation:
        return mine.batches
    its = then.origin
    is_alike = its is not None and not its.variant and its.generation == mine.generation
    return min(mine.batches, then.shared) if is_alike else 0


def since(line: Polyline, history: History, axis: Axis, shared: int) -> Polyline:
    """The part of a line from the last of the shared batches on; all of it if there are none."""
    if not shared or line.is_empty:
        return line
    first = int(np.searchsorted(line.x, history.place(axis, shared - 1)))
    return Polyline(line.x[first:], line.low[first:], line.high[first:])


def from_origin(
    line: Polyline, history: History, axis: Axis, shared: int, window: float | None = None
) -> Polyline:
    """As `since`, beginning exactly at that batch, so that the line begins on the old curve.

    `window`: of the smoothing, in epochs; None for a line of the losses themselves.
    """
    if not shared or line.is_empty:
        return line
    rest, start = since(line, history, axis, shared), history.place(axis, shared - 1)
    if line.x[0] > start or line.x[-1] < start:
        return rest
    if rest.x.size and rest.x[0] == start:
        return rest
    batch = history.at(shared - 1, window) if window else history.at(shared - 1)
    value = batch.smoothed if window else batch.loss
    return Polyline(
        *(
            np.insert(part, 0, first)
            for first, part in ((start, rest.x), (value, rest.low), (value, rest.high))
        )
    )
