"""The grid of charts that fills a screen: as wide as possible, so that time has room. Pure."""

from dataclasses import dataclass
from typing import Final

_LEAST_WIDTH: Final = 38
_LEAST_HEIGHT: Final = 8
"""Cells of the smallest chart, with its border."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Charts in rows and columns, and the pages that they take."""

    columns: int
    rows: int
    pages: int

    @property
    def places(self) -> int:
        """The number of charts on a page."""
        return self.columns * self.rows

    @classmethod
    def of(cls, charts: int, width: int, height: int) -> "Grid":
        """The grid of the fewest columns that shows so many charts in so many cells.

        Where they do not fit in one page, the grid is the densest that is legible.
        """
        most_columns = max(width // _LEAST_WIDTH, 1)
        most_rows = max(height // _LEAST_HEIGHT, 1)
        for columns in range(1, most_columns + 1):
            rows = -(-max(charts, 1) // columns)
            if rows <= most_rows:
                return cls(columns, rows, 1)
        return cls(most_columns, most_rows, -(-charts // (most_columns * most_rows)))
