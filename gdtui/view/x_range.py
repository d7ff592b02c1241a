"""The visible part of the x axis, and the arithmetic of zooming, panning and following.

Pure arithmetic in units of the axis (samples, updates or seconds). All it knows about the data is
their end.
"""

import math
from dataclasses import dataclass
from typing import Final

STEPS: Final = 10
"""Step of a following window, as a share of its width, so that the axis mostly stands still."""
AT_END: Final = 0.05
"""Zooming closer to the end of the data than this share of the window zooms at the end."""
_TAIL_SHARE: Final = 0.25
"""Share of the whole that is followed as the tail by default."""


@dataclass(frozen=True, slots=True)
class XRange:
    """low…high of an axis, low below high."""

    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class WholeRange:
    """Everything."""


@dataclass(frozen=True, slots=True)
class FollowNewest:
    """The newest part, of this width."""

    width: float


@dataclass(frozen=True, slots=True)
class FixedRange:
    """A fixed part, whatever data arrive."""

    low: float
    high: float


XWindow = WholeRange | FollowNewest | FixedRange
WHOLE: Final = WholeRange()


@dataclass(frozen=True, slots=True)
class DataExtent:
    """The extent of the data on the x axis."""

    end: float
    """The end of an axis that shows everything, at or after the end of the data."""
    tail: float
    """The end of the newest data, which a window can follow."""
    least: float
    """The narrowest window."""


def visible_range(window: XWindow, extent: DataExtent) -> XRange:
    """The visible part of the axis; a following one moves in steps."""
    match window:
        case FollowNewest(width):
            step = width / STEPS
            # A whole number of steps, rounded, may end just before the newest data.
            high = max(math.ceil(extent.tail / step) * step, extent.tail, width)
            return XRange(high - width, high)
        case FixedRange(low, high):
            return XRange(low, high)
    return XRange(0.0, extent.end)


def zoomed(seen: XRange, extent: DataExtent, at: float, factor: float) -> XWindow:
    """The window `factor` times as wide in which `at` keeps its position.

    A window at the end of the data follows them, and so does one widened until it reaches that end.
    """
    width = max(seen.width * factor, min(extent.least, extent.end))
    if width >= extent.end:
        return WHOLE
    if at >= extent.tail - AT_END * seen.width and seen.high >= extent.tail:
        return FollowNewest(width)
    low = _inside(at - (at - seen.low) * width / seen.width, width, extent)
    if factor > 1 and low + width >= extent.tail:
        return FollowNewest(width)
    return FixedRange(low, low + width)


def panned(seen: XRange, extent: DataExtent, by: float) -> XWindow:
    """The window moved to the right by this amount, or to the left if it is below 0.

    At the end of the data, the window follows them.
    """
    if seen.width >= extent.end:
        return WHOLE
    low = _inside(seen.low + by, seen.width, extent)
    if by >= 0 and low + seen.width >= extent.tail:
        return FollowNewest(seen.width)
    return FixedRange(low, low + seen.width)


def follow_newest(seen: XRange, extent: DataExtent) -> XWindow:
    """The newest data in the present width or, if everything is in view, a part of it."""
    return FollowNewest(seen.width if seen.width < extent.end else _TAIL_SHARE * extent.end)


def on_another_axis(window: XWindow, before: DataExtent, now: DataExtent) -> XWindow:
    """The window in other units: the same share of the tail, or everything for a fixed part.

    In other units, a fixed part is a different one for each variant.
    """
    if isinstance(window, FollowNewest):
        return FollowNewest(max(window.width * now.end / before.end, now.least))
    return WHOLE


def _inside(low: float, width: float, extent: DataExtent) -> float:
    return max(min(low, extent.end - width), 0.0)
