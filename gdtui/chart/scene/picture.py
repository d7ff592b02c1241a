"""The picture of a chart as an immutable value, which is all that the widget draws."""

import math
from dataclasses import dataclass, field

from gdtui.chart.scene.polyline import EMPTY, Polyline

POINTS, SMALL_POINTS = "◆◇◈", "•◦◉"
"""Single values on training data, on held-out data, and both in one cell."""
_POINT_CELLS = 3
"""Points closer than this on average, in cells, are drawn small, so as not to hide their line."""


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis: its visible range, ticks as (value, label), title, and if it is logarithmic."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()
    title: str = ""
    log: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """A variant on a chart, from back to front: band, line, single values.

    The legend lists series in the order of the picture.
    """

    label: str
    colour: str
    """The variant's colour, `#rrggbb`."""
    line: Polyline = EMPTY
    band: Polyline = EMPTY
    """The range of most raw losses, drawn as the background of cells: an entry per column."""
    points: Polyline = EMPTY
    """Single measured values (full loss after each epoch), drawn as marks on top."""
    validation: Polyline = EMPTY
    """Single values measured on held-out data, drawn as hollow marks."""
    faint: bool = False
    """True for the ghost of an earlier generation."""
    number: str = ""
    """The number written along the line if colours do not suffice to identify it."""
    end: str = ""
    """Text at the end of the line: number and value."""
    last: float = math.nan
    """The value at the end of the line, of which an entry may hold the whole past; NaN: its high.
    """
    depth: int = 0
    """Above 0 for raw losses, drawn behind all other lines; larger depths are farther back.

    A ghost is drawn in front of the line with the same depth.
    """
    reach: Polyline = EMPTY
    """The range min…max of the raw losses: where it leaves the axis, there is a mark."""
    strays: Polyline = EMPTY
    """Single raw losses far beyond the others, drawn as dots."""
    bars: Polyline = EMPTY
    """Intervals of single values, drawn as faint strokes."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical mark where a setting changed."""

    x: float
    colour: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything shown on a chart."""

    x: Scale
    y: Scale
    series: tuple[Series, ...] = ()
    marks: tuple[Mark, ...] = field(default=())
    rules: tuple[float, ...] = ()
    """The x of the faint vertical lines, at the ends of epochs."""
    title: str = ""
    headline: str = ""
    """The part of the title that matters most, drawn in bold."""
    is_good_news: bool = False
    """True for a headline in the colour of success."""
    message: str = ""
    """Text shown in the middle instead of data, e.g. on the variant's state before the first loss.
    """
    above: str = ""
    """Text beside a mark of losses above the axis: their number; and the same below it."""
    below: str = ""
    faint: str = "before"
    """The name of faint lines in the legend."""

    def points(self, width: int) -> str:
        """POINTS, or SMALL_POINTS if any series has too many points for `width` cells."""
        most = max(
            (max(len(one.points.x), len(one.validation.x)) for one in self.series), default=0
        )
        return SMALL_POINTS if 0 < width < most * _POINT_CELLS else POINTS

    def title_at(self, width: int) -> str:
        """The title, with points as drawn on a canvas `width` cells wide."""
        return self.title.translate(str.maketrans(POINTS, self.points(width)))
