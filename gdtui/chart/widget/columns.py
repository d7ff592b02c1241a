"""A chart's columns of cells and the x in each, for code that has no widget."""

import math
from dataclasses import dataclass

from gdtui.chart.drawing.raster import value_of
from gdtui.chart.scene.picture import Scale


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of cells across a canvas that shows a range of x."""

    low: float
    high: float
    count: int
    """At least one."""

    def column_at(self, x: float) -> int:
        """The column in which this x is, or would be, drawn; may be outside the canvas."""
        if x == self.high:
            return self.count - 1
        return math.floor((x - self.low) / (self.high - self.low) * self.count)

    def x_at(self, column: int) -> float:
        """The x in the middle of a column, even if it is outside the canvas."""
        return value_of(column + 0.5, Scale(self.low, self.high), self.count, 1)
