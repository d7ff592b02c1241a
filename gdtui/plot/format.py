"""Sizes and file types of a chart for slides and papers."""

from dataclasses import dataclass
from typing import Final

SUFFIXES: Final = (".png", ".svg", ".pdf")


@dataclass(frozen=True, slots=True)
class PlotFormat:
    """The size of a chart, and of what is drawn in it."""

    width: float
    """In inches."""
    height: float
    font_size: float
    """In points."""
    line_width: float
    ticks: int
    """The number of columns of text that ticks are chosen for."""
    rows: int
    """The number of rows of text, likewise."""


FORMATS: Final = {
    "column": PlotFormat(3.4, 2.4, 7.5, 1.0, 60, 15),
    "two-columns": PlotFormat(7.0, 3.2, 8.5, 1.2, 100, 21),
    "16:9": PlotFormat(13.333, 7.5, 18.0, 2.6, 100, 21),
}
"""One column and two columns of a paper, and a slide."""
