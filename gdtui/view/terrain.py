"""The landscape as coloured dots, two to a cell: heat map, contours and trajectories.

Numpy, no widget.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.landscape.plane import Window

Image = NDArray[np.uint8]
"""Red, green and blue of each dot: (rows, columns, 3), row 0 at the top."""

_BANDS: Final = 12
"""Number of bands between the lowest and the highest loss; a contour separates any two."""
_CONTOUR: Final = 0.22
"""Share of the contours' colour when blended with the map's."""
_DENSER: Final = " ░▒▓"
HIGHEST: Final = _DENSER[-1]
"""The character for the highest loss, if there are too few colours."""
_NEAR: Final = 0.03
"""Losses closer to the lowest than this share of the median's distance share its colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerrainInks:
    """`#rrggbb` of the lowest and the highest loss, of contours, and of each variant."""

    low: str
    high: str
    contour: str
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relief:
    """The landscape without shades of colour, one character per cell."""

    characters: NDArray[np.uint32]
    """(rows, columns): denser characters for higher losses; along a path, its variant's number."""
    owners: NDArray[np.intp]
    """(rows, columns): the position of the variant whose path covers the cell; −1 for none."""


@dataclass(slots=True)
class Terrain:
    """The losses surveyed so far in one window of the plane."""

    window: Window
    coarse: list[NDArray[np.float32] | None] = field(default_factory=list)
    fine: list[NDArray[np.float32] | None] = field(default_factory=list)
    """Rows of losses from the top; None for a row not surveyed yet."""

    def put(self, row: int, rows: int, losses: NDArray[np.float32]) -> None:
        """Take in a row of the grid with `rows` rows; the one with most rows is the fine grid."""
        if not self.coarse:
            self.coarse = [None] * rows
        grid = self.coarse
        if rows != len(self.coarse):
            self.fine = self.fine or [None] * rows
            grid = self.fine
        grid[row] = losses

    def losses(self, columns: int, rows: int) -> NDArray[np.float64]:
        """The loss at each dot: from the fine grid or else the interpolated coarse grid.

        NaN where neither is known.
        """
        found = np.full((rows, columns), np.nan)
        known = [row for row, losses in enumerate(self.coarse) if losses is not None]
        if known:
            across = _spread([self.coarse[row] for row in known], columns)
            at = (np.arange(rows) + 0.5) / rows * len(self.coarse) - 0.5
            seen = at <= known[-1] + 0.5
            for column in range(columns):
                found[seen, column] = np.interp(at[seen], known, across[:, column])
        for row, losses in enumerate(self.fine):
            if losses is not None:
                found[row * rows // len(self.fine)] = _spread([losses], columns)[0]
        return found

    @property
    def is_complete(self) -> bool:
        """True when every row of the fine grid is known."""
        return bool(self.fine) and all(row is not None for row in self.fine)

    @property
    def extremes(self) -> tuple[float, float]:
        """The lowest and the highest finite loss so far; NaN before there is one."""
        rows = [row for row in (*self.coarse, *self.fine) if row is not None]
        values = np.concatenate(rows) if rows else np.zeros(0)
        values = values[np.isfinite(values)]
        return (float(values.min()), float(values.max())) if len(values) else (np.nan, np.nan)


def _spread(rows: Sequence[NDArray[np.float32] | None], columns: int) -> NDArray[np.float64]:
    """Rows interpolated to this many columns; points are the centres of cells."""
    spread = []
    for row in rows:
        assert row is not None
        at = (np.arange(columns) + 0.5) / columns * len(row) - 0.5
        spread.append(np.interp(at, np.arange(len(row)), row))
    return np.array(spread)


def heights(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Losses as heights 0…1: logarithmic in the distance from the lowest, so valleys show.

    Losses that are known but not finite get the greatest height.
    """
    finite = losses[np.isfinite(losses)]
    if not len(finite):
        return np.where(np.isnan(losses), np.nan, 1.0)
    lowest = finite.min()
    near = max((np.median(finite) - lowest) * _NEAR, 1e-12)
    raised = np.log1p((np.where(np.isinf(losses), finite.max(), losses) - lowest) / near)
    top = np.nanmax(raised)
    relative: NDArray[np.float64] = raised / top if top > 0 else raised
    return relative


def image(
    terrain: Terrain,
    columns: int,
    rows: int,
    inks: TerrainInks,
    background: str,
    paths: Sequence[NDArray[np.float32]],
) -> Image:
    """Heat map and contours, with each path on top in its variant's colour."""
    band, known = _bands(terrain, columns, rows, _BANDS)
    share = (band / (_BANDS - 1))[..., None]
    dots = _rgb(inks.low) * (1 - share) + _rgb(inks.high) * share
    edge = np.zeros_like(known)
    edge[:, 1:] |= band[:, 1:] != band[:, :-1]
    edge[1:, :] |= band[1:, :] != band[:-1, :]
    dots[edge & known] = (1 - _CONTOUR) * dots[edge & known] + _CONTOUR * _rgb(inks.contour)
    dots[~known] = _rgb(background)
    painted: Image = dots.round().astype(np.uint8)
    for place, points in enumerate(paths):
        colour = _rgb(inks.variants[place % len(inks.variants)]).astype(np.uint8)
        for column, row in _dots_of(points, terrain.window, columns, rows):
            painted[row, column] = colour
    return painted


def relief(
    terrain: Terrain, columns: int, rows: int, paths: Sequence[NDArray[np.float32]]
) -> Relief:
    """Heat map and paths as characters. Unknown losses are blank, and so are the lowest."""
    band, _ = _bands(terrain, columns, rows, len(_DENSER))
    characters = np.array([ord(each) for each in _DENSER], np.uint32)[band.astype(np.intp)]
    owners = np.full((rows, columns), -1, np.intp)
    for place, points in enumerate(paths):
        for column, row in _dots_of(points, terrain.window, columns, rows):
            characters[row, column], owners[row, column] = ord(str(place + 1)[-1]), place
    return Relief(characters, owners)


def _bands(
    terrain: Terrain, columns: int, rows: int, count: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The band of each dot from the lowest loss up, 0 if unknown; and a mask of known dots."""
    height = heights(terrain.losses(columns, rows))
    known = ~np.isnan(height)
    return np.minimum(np.floor(np.where(known, height, 0) * count), count - 1), known


def cell_of(
    point: NDArray[np.floating], window: Window, columns: int, rows: int
) -> tuple[float, float]:
    """Position of a point of the plane in dots from the top left: dot 0 has its centre at 0.5."""
    across = (float(point[0]) - window.left) / (window.right - window.left)
    down = (window.top - float(point[1])) / (window.top - window.bottom)
    return across * columns, down * rows


def _dots_of(
    points: NDArray[np.float32], window: Window, columns: int, rows: int
) -> list[tuple[int, int]]:
    """The dots that a path through these points covers, inside the window."""
    if not len(points):
        return []
    at = np.array([cell_of(point, window, columns, rows) for point in points])
    # A path that leaves the window by far is cut first, or it would have a billion dots.
    at = np.clip(at, -2 * columns, 3 * columns)
    steps = np.maximum(np.abs(np.diff(at, axis=0)).max(axis=1, initial=0).astype(int), 0) + 1
    parts = [
        start + (end - start) * np.arange(count)[:, None] / count
        for start, end, count in zip(at[:-1], at[1:], steps, strict=True)
    ]
    dots = np.floor(np.concatenate([*parts, at[-1:]])).astype(int)
    inside = (dots >= 0).all(axis=1) & (dots[:, 0] < columns) & (dots[:, 1] < rows)
    return [(int(column), int(row)) for column, row in dots[inside]]


def _rgb(colour: str) -> NDArray[np.float64]:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)
