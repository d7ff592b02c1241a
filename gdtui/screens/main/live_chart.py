"""A chart of a growing run, and how much of it each frame draws. Knows no store.

Most of a picture changes with every batch, but the eye follows only its lines. So these grow by
every column of dots, and a few times a second whatever they grew by; the charts of a screen take
turns in that, so that each frame shows something new, and none takes long. Where lines grow in
every frame, the charts take turns in following them. The rest, such as bands and counts, takes the
most time and is redrawn about once a second.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from gdtui.chart.drawing.raster import DOTS_X
from gdtui.chart.scene.picture import Picture
from gdtui.chart.widget.chart import Chart
from gdtui.terminal.budget import Thrift
from gdtui.view.pictures import ChartSize

_TURN_SECONDS: Final = 0.4
"""Seconds between two turns of a chart, in which its lines are drawn if it has new data."""
_WHOLE_TURNS: Final = 3
"""Turns until it is drawn as a whole, …"""
_MEASURED_SHARE: Final = 0.05
"""…unless it has this share more of single values: a new one is then worth a redraw."""
_GROWN_SHARE: Final = 0.5
"""Share by which the data have grown when the chart is drawn as a whole before that."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The data of a chart, as far as the next frame depends on them."""

    version: int
    """Changes with every record."""
    ends: tuple[float, ...]
    """The end of each line on the x axis, 0 or more."""
    width: float
    """The visible range of x."""
    measured: int = 0
    """Single values that belong to the lines, such as the losses on all data after epochs."""

    def has_grown_by(self, share: float, before: "Growth") -> bool:
        """True if a line is longer than before by more than this share, or shorter."""
        pairs = zip(before.ends, self.ends, strict=True)
        return any(new < old or new > old * (1 + share) for old, new in pairs)

    def has_more_measured(self, share: float, before: "Growth") -> bool:
        """True if there are more single values than before by more than this share, or fewer."""
        new, old = self.measured, before.measured
        return new < old or new > old * (1 + share)

    def has_grown_on(self, dots: int, before: "Growth") -> bool:
        """True if a line has grown by one of the `dots` columns of dots."""
        step = self.width / max(dots, 1)
        return any(new - old >= step for old, new in zip(before.ends, self.ends, strict=True))


class _Due(Enum):
    """The part of a chart to draw."""

    WHOLE = auto()
    LINES = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The last drawing."""

    of: object
    size: ChartSize
    picture: Picture
    whole: Growth
    """The data when it was drawn as a whole…"""
    lines: Growth
    """…and when its lines were."""
    turn: int
    """The number of its turn when anything was drawn…"""
    whole_turn: int
    """…and when all was."""

    def due(
        self,
        of: object,
        size: ChartSize,
        growth: Growth,
        turn: int,
        *,
        at_once: bool,
        early: bool,
        rests: bool,
        thrift: Thrift,
    ) -> _Due:
        """The part that these data change visibly; see `LiveChart.update`."""
        if (self.of, self.size) != (of, size):
            return _Due.WHOLE
        if self.whole.version == growth.version:
            return _Due.NOTHING
        if at_once or growth.has_grown_by(_GROWN_SHARE, self.whole):
            return _Due.WHOLE
        if turn - self.turn >= thrift.factor or early:
            is_whole = turn - self.whole_turn >= _WHOLE_TURNS * thrift.factor
            share = _MEASURED_SHARE * thrift.factor
            is_whole = is_whole or growth.has_more_measured(share, self.whole)
            has_grown = growth.version != self.lines.version
            return _Due.WHOLE if is_whole else _Due.LINES if has_grown else _Due.NOTHING
        has_grown = not (rests or thrift) and growth.has_grown_on(size.dots, self.lines)
        return _Due.LINES if has_grown else _Due.NOTHING


class LiveChart:
    """A chart, and what of it the last frame has drawn."""

    def __init__(
        self, chart: Chart, phase: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`phase`: shift of its turns, as a share of the time between two of them.

        `clock` returns seconds since an arbitrary start.
        """
        self.chart = chart
        self._phase = phase
        self._clock = clock
        self._drawn: _Drawn | None = None

    def update(
        self,
        of: object,
        growth: Growth,
        draw: Callable[[ChartSize], Picture],
        extend: Callable[[Picture, ChartSize], Picture] | None,
        *,
        at_once: bool,
        early: bool = False,
        rests: bool = False,
        thrift: Thrift = Thrift.NONE,
    ) -> bool:
        """Draw what has changed, if the chart is visible; True if a cell differs.

        `of`: all that the picture depends on beside the data. `extend`: the picture with longer
        lines; None if that takes as long as `draw`. `at_once`: draw all that has changed. `early`:
        draw the lines before the chart's turn. `rests`: draw nothing before it for a few new dots.
        `thrift`: nor if there is any; if it is MUCH, skip turns, too.
        """
        room = self.chart.canvas
        size = ChartSize(room.width * DOTS_X, room.width, room.height)
        drawn, turn = self._drawn, math.floor(self._clock() / _TURN_SECONDS + self._phase)
        due = _Due.WHOLE
        if drawn is not None:
            due = drawn.due(
                of, size, growth, turn,
                at_once=at_once, early=early, rests=rests, thrift=thrift,
            )  # fmt: skip
        if due is _Due.NOTHING or not self.chart.is_on_screen:
            return False
        if due is _Due.WHOLE or (due is _Due.LINES and extend is None):
            picture = draw(size)
            self._drawn = _Drawn(of, size, picture, growth, growth, turn, turn)
            return self.chart.show(picture)
        if drawn is None or extend is None:
            return False
        picture = extend(drawn.picture, size)
        self._drawn = replace(drawn, picture=picture, lines=growth, turn=turn)
        return self.chart.extend(picture)
