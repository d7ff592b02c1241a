"""The picture of a chart as one immutable value: the widget draws it and holds no other truth."""

from dataclasses import dataclass, field

from gdtui.chart.scene.polyline import EMPTY, Polyline

POINTS, SMALL_POINTS = "◆◇◈", "•◦◉"
"""Single values on training data, on held-out data, and both in one cell."""
_POINT_CELLS = 3
"""Points closer than this on average are drawn small, so that they do not hide their line."""


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis: the range that is shown, its ticks as (value, label), its title, log or linear."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()
    title: str = ""
    log: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """A variant on a chart, back to front: envelope, line, single values.

    A legend keeps their order.
    """

    label: str
    colour: str
    """`#rrggbb`, the variant's own."""
    line: Polyline = EMPTY
    envelope: Polyline = EMPTY
    """min…max of the raw losses, drawn faintly behind the line."""
    points: Polyline = EMPTY
    """Single measured values (full loss at each epoch's end), drawn as marks on top."""
    validation: Polyline = EMPTY
    """Likewise on held-out data, drawn as hollow marks."""
    faint: bool = False
    """A ghost of an earlier generation."""
    number: str = ""
    """Written along the line where colours cannot tell whose it is."""
    depth: int = 0
    """Above 0 for raw losses, which lie behind all other lines, the deeper ones behind.

    A ghost of the same depth lies before its own.
    """


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical mark where a setting changed."""

    x: float
    colour: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """All that stands on one chart."""

    x: Scale
    y: Scale
    series: tuple[Series, ...] = ()
    marks: tuple[Mark, ...] = field(default=())
    rules: tuple[float, ...] = ()
    """The x of the faint vertical lines: the ends of epochs."""
    title: str = ""
    message: str = ""
    """Shown in the middle instead of data: what the variant is doing before its first loss."""
    faint: str = "before"
    """The name of faint lines in the legend."""

    def points(self, width: int) -> str:
        """POINTS or, where any series has too many for so many cells, SMALL_POINTS."""
        most = max(
            (max(len(one.points.x), len(one.validation.x)) for one in self.series), default=0
        )
        return SMALL_POINTS if 0 < width < most * _POINT_CELLS else POINTS

    def title_at(self, width: int) -> str:
        """The title, with the points as they are drawn in so many cells."""
        return self.title.translate(str.maketrans(POINTS, self.points(width)))
