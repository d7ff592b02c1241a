"""Draws the picture of a chart by matplotlib: bands, lines, single values, marks, ghosts.

Imports matplotlib, which the extra `plot` installs; import this module only to draw.
"""

from io import BytesIO
from typing import Any, Final

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from textual.theme import Theme

from gdtui.chart.scene.picture import Picture, Scale, Series
from gdtui.chart.scene.polyline import Polyline
from gdtui.plot.format import PlotFormat

_BAND: Final = 0.18
"""Opacity of bands, several of which may overlap."""
_GHOST: Final = 0.45
_MOST_COLUMNS: Final = 4
_HANDLE_CHARACTERS: Final = 6
_CHARACTER_WIDTH: Final = 0.6
"""Mean width of a character, as a share of the font's size."""
_POINTS_AN_INCH: Final = 72
_MARGIN: Final = 0.01
"""Share of the x axis to the right of the newest batch, so that its mark is whole."""
_RULE: Final = 0.6
_MANY_POINTS: Final = 30
"""Single values of a line above which they are drawn smaller, so as not to hide it."""
_STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",
    "svg.hashsalt": "gdtui",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "axes.unicode_minus": False,
    "text.parse_math": False,
}
_UNDATED: Final[dict[str, dict[str, None]]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}
"""Metadata that would change from day to day, or with the version of matplotlib."""


def drawn(
    picture: Picture, theme: Theme, form: PlotFormat, suffix: str, *, dpi: int, title: str = ""
) -> bytes:
    """The file of a chart: the same bytes for the same picture.

    `title` stands above the chart; empty leaves the space to the chart.
    """
    with rc_context({**_STYLE, "font.size": form.font_size}):
        figure = Figure(figsize=(form.width, form.height), layout="constrained")
        figure.set_facecolor(theme.background or "#ffffff")
        axes = figure.add_subplot()
        _draw(axes, picture, theme, form)
        _draw_legend(figure, picture, theme, form)
        if title:
            axes.set_title(title, loc="left", fontsize=form.font_size, color=theme.foreground)
        file = BytesIO()
        kind, metadata = suffix.removeprefix("."), _UNDATED[suffix]
        figure.savefig(file, format=kind, dpi=dpi, metadata=metadata)
    return file.getvalue()


def _draw(axes: Axes, picture: Picture, theme: Theme, form: PlotFormat) -> None:
    _draw_frame(axes, picture, theme, form)
    for each in picture.series:
        _draw_band(axes, each)
    for each in picture.series:
        _draw_line(axes, each, form)
    for each in picture.series:
        _draw_points(axes, each, theme, form)
    for row, mark in enumerate(sorted(picture.marks, key=lambda each: each.x)):
        axes.axvline(mark.x, color=mark.colour, linewidth=form.line_width * 0.7, linestyle=":")
        axes.annotate(
            mark.label,
            (mark.x, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, -(row % 4 + 1) * 1.2 * form.font_size),
            textcoords="offset points",
            fontsize=form.font_size * 0.85,
            color=mark.colour,
        )


def _draw_legend(figure: Figure, picture: Picture, theme: Theme, form: PlotFormat) -> None:
    handles, _ = figure.axes[0].get_legend_handles_labels()
    count = len(handles)
    ghosts = {each.label for each in picture.series if each.faint}
    handles.sort(key=lambda each: each.get_label() in ghosts)
    for attribute, name, face in (
        ("points", "on all data", theme.foreground),
        ("validation", "on held-out data", "none"),
    ):
        if any(not getattr(each, attribute).is_empty for each in picture.series):
            handles.append(_diamond(name, face, theme, form))
    longest = max(len(str(each.get_label())) for each in handles) + _HANDLE_CHARACTERS
    room = form.width * _POINTS_AN_INCH / (form.font_size * _CHARACTER_WIDTH)
    columns = min(count, _MOST_COLUMNS, max(1, int(room / longest)))
    figure.legend(
        handles=_by_rows(handles, columns),
        frameon=False,
        labelcolor=theme.foreground,
        fontsize=form.font_size,
        loc="outside lower left",
        ncols=columns,
        borderaxespad=0,
        handlelength=1.4,
        columnspacing=1.2,
    )


def _diamond(name: str, face: str | None, theme: Theme, form: PlotFormat) -> Line2D:
    return Line2D(
        [], [], linestyle="", marker="D", label=name, markersize=form.font_size * 0.45,
        markerfacecolor=face, markeredgecolor=theme.foreground,
    )  # fmt: skip


def _by_rows(handles: list[Artist], columns: int) -> list[Artist]:
    """The entries in the order that shows them row by row, as matplotlib fills columns first."""
    rows = -(-len(handles) // columns)
    full = len(handles) % columns or columns
    order: list[Artist] = []
    for column in range(columns):
        height = rows if column < full else rows - 1
        order += [handles[row * columns + column] for row in range(height)]
    return order


def _draw_frame(axes: Axes, picture: Picture, theme: Theme, form: PlotFormat) -> None:
    """Axes, ticks and faint lines, in the theme's greys."""
    variables = theme.variables
    axes.set_facecolor(theme.background or "#ffffff")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(variables["axis"])
        spine.set_linewidth(form.line_width * 0.6)
    _scale(axes.xaxis, picture.x)
    _scale(axes.yaxis, picture.y)
    if picture.y.log:
        axes.set_yscale("log")
        _scale(axes.yaxis, picture.y)
    axes.set_xlim(picture.x.low, picture.x.high + _MARGIN * (picture.x.high - picture.x.low))
    axes.set_ylim(picture.y.low, picture.y.high)
    axes.tick_params(
        colors=variables["label"], labelsize=form.font_size, color=variables["axis"],
        width=form.line_width * 0.6, length=form.font_size * 0.35,
    )  # fmt: skip
    axes.grid(axis="y", color=variables["grid"], linewidth=form.line_width * 0.5)
    axes.set_axisbelow(True)
    for rule in picture.rules:
        axes.axvline(
            rule, color=variables["grid"], linewidth=form.line_width * _RULE, linestyle=(0, (1, 2))
        )
    axes.set_xlabel(picture.x.title, color=variables["label"], fontsize=form.font_size)
    axes.set_ylabel("loss", color=variables["label"], fontsize=form.font_size)


def _scale(axis: Any, scale: Scale) -> None:
    """The ticks of the screen's chart, which are chosen for the eye."""
    axis.set_major_locator(FixedLocator([value for value, _ in scale.ticks]))
    axis.set_major_formatter(FixedFormatter([label for _, label in scale.ticks]))
    axis.set_minor_locator(NullLocator())


def _draw_band(axes: Axes, series: Series) -> None:
    _between(axes, series.band, series.colour, _BAND)


def _draw_line(axes: Axes, series: Series, form: PlotFormat) -> None:
    """The line; where a column of the picture holds several batches, their range as well."""
    line, width = series.line, form.line_width
    if line.is_empty:
        return
    if series.depth:  # raw losses
        _between(axes, line, series.colour, 0.35)
        width *= 0.35
    opacity = _GHOST if series.faint else 1.0
    axes.plot(
        line.x, (line.low + line.high) / 2, color=series.colour, linewidth=width, alpha=opacity,
        linestyle="--" if series.faint else "-", label=series.label, solid_joinstyle="round",
        zorder=3 - 0.001 * series.depth,
    )  # fmt: skip


def _between(axes: Axes, line: Polyline, colour: str, opacity: float) -> None:
    if not line.is_empty and np.isfinite(line.low).any():
        axes.fill_between(
            line.x, line.low, line.high, color=colour, alpha=opacity, linewidth=0, zorder=2
        )


def _draw_points(axes: Axes, series: Series, theme: Theme, form: PlotFormat) -> None:
    """Single values: filled on training data, hollow on held-out data."""
    most = max(len(series.points.x), len(series.validation.x), _MANY_POINTS)
    size = max(form.font_size * 0.45 * _MANY_POINTS / most, form.line_width * 1.5)
    for points, face in ((series.points, series.colour), (series.validation, theme.background)):
        if not points.is_empty:
            axes.plot(
                points.x, points.low, linestyle="", marker="D", markersize=size,
                markeredgecolor=series.colour, markerfacecolor=face, zorder=4,
                alpha=_GHOST if series.faint else 1.0, markeredgewidth=form.line_width * 0.6,
            )  # fmt: skip
