"""Which part of the x axis is looked at, and how zooming, panning and following change it.

Pure arithmetic in units of the axis (samples, updates or seconds). Knows no data but where they end.
"""

import math
from dataclasses import dataclass
from typing import Final

STEPS: Final = 10
"""A window that follows moves by this part of its width, so that the axis mostly stands still."""
AT_END: Final = 0.05
"""Zooming within this share of the window before the end of the data is zooming at their end."""
_TAIL_SHARE: Final = 0.25
"""Of the whole, where nothing else says how much of the tail to follow."""


@dataclass(frozen=True, slots=True)
class Span:
    """low…high of an axis, low below high."""

    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Whole:
    """All there is."""


@dataclass(frozen=True, slots=True)
class Follow:
    """So much of the newest."""

    width: float


@dataclass(frozen=True, slots=True)
class Fixed:
    """From here to there, whatever comes."""

    low: float
    high: float


Window = Whole | Follow | Fixed
WHOLE: Final = Whole()


@dataclass(frozen=True, slots=True)
class Ground:
    """What can be looked at."""

    end: float
    """Where an axis of everything ends: at or after the last of the data."""
    tail: float
    """Where the newest data end, which a window can follow."""
    least: float
    """The narrowest window."""


def span_of(window: Window, ground: Ground) -> Span:
    """The part of the axis that is seen; one that follows moves in steps."""
    match window:
        case Follow(width):
            step = width / STEPS
            high = max(math.ceil(ground.tail / step) * step, width)
            return Span(high - width, high)
        case Fixed(low, high):
            return Span(low, high)
    return Span(0.0, ground.end)


def zoomed(seen: Span, ground: Ground, at: float, factor: float) -> Window:
    """The window `factor` times as wide in which `at` keeps its place.

    At the end of the data it follows them; so does one that is widened until it reaches that end.
    """
    width = max(seen.width * factor, min(ground.least, ground.end))
    if width >= ground.end:
        return WHOLE
    if at >= ground.tail - AT_END * seen.width and seen.high >= ground.tail:
        return Follow(width)
    low = _inside(at - (at - seen.low) * width / seen.width, width, ground)
    if factor > 1 and low + width >= ground.tail:
        return Follow(width)
    return Fixed(low, low + width)


def panned(seen: Span, ground: Ground, by: float) -> Window:
    """The window moved to the right by so much (left: below 0); at the end of the data it follows them."""
    if seen.width >= ground.end:
        return WHOLE
    low = _inside(seen.low + by, seen.width, ground)
    if by >= 0 and low + seen.width >= ground.tail:
        return Follow(seen.width)
    return Fixed(low, low + seen.width)


def following(seen: Span, ground: Ground) -> Window:
    """The newest data, as wide as what is seen; of the whole, a part."""
    return Follow(seen.width if seen.width < ground.end else _TAIL_SHARE * ground.end)


def on_another_axis(window: Window, before: Ground, now: Ground) -> Window:
    """The same share of the tail in other units; a fixed part lies elsewhere for each variant: the whole."""
    if isinstance(window, Follow):
        return Follow(max(window.width * now.end / before.end, now.least))
    return WHOLE


def _inside(low: float, width: float, ground: Ground) -> float:
    return max(min(low, ground.end - width), 0.0)
