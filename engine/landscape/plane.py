"""A plane through weight space: its position, projections onto it, and the loss over it.

Plain numpy, in float64. If a problem has two parameters, the plane is the whole space. Otherwise
the plane is spanned by the first two principal components of the recorded trajectories (Li et al.
2018, "Visualizing the Loss Landscape of Neural Nets", section 7.2), through their mean.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MARGIN: Final = 0.25
"""Margin left on each side, as a share of the trajectories' extent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """The points origin + x × axes[0] + y × axes[1]; axes are orthogonal and of length 1 (or 0)."""

    origin: Array
    """Shape (parameters,)."""
    axes: Array
    """Shape (2, parameters). The second axis is zero if there is only one parameter."""
    explained: float
    """The share of the trajectories' variance in the plane; 1 if they lie entirely in it."""

    def project(self, weights: NDArray[np.floating]) -> Array:
        """The coordinates on the plane, (count, 2), of weights of shape (count, parameters)."""
        projected: Array = (np.asarray(weights, np.float64) - self.origin) @ self.axes.T
        return projected

    def weights(self, points: Array) -> Array:
        """The weights, (count, parameters), at points of the plane of shape (count, 2)."""
        lifted: Array = self.origin + points @ self.axes
        return lifted


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of a plane that a picture shows."""

    left: float
    right: float
    bottom: float
    top: float

    def centres(self, columns: int, rows: int) -> tuple[Array, Array]:
        """The x of the columns' centres, from the left, and the y of the rows', from the top."""
        across = (np.arange(columns) + 0.5) / columns
        down = (np.arange(rows) + 0.5) / rows
        return (
            self.left + across * (self.right - self.left),
            self.top - down * (self.top - self.bottom),
        )

    def zoomed(self, factor: float) -> "Window":
        """A window with the same centre and `factor` times the extent."""
        x, y = (self.left + self.right) / 2, (self.bottom + self.top) / 2
        half_x, half_y = (
            (self.right - self.left) / 2 * factor,
            (self.top - self.bottom) / 2 * factor,
        )
        return Window(left=x - half_x, right=x + half_x, bottom=y - half_y, top=y + half_y)

    def panned(self, across: float, up: float) -> "Window":
        """The window moved by these shares of its extent."""
        x, y = across * (self.right - self.left), up * (self.top - self.bottom)
        return Window(
            left=self.left + x, right=self.right + x, bottom=self.bottom + y, top=self.top + y
        )


def plane_of(trajectories: Sequence[NDArray[np.floating]]) -> Plane:
    """The plane for trajectories, each of shape (count, parameters); at least one is not empty.

    Each trajectory counts the same, however many points it has. The axes point from the start of
    training to the latest point, so that paths run right and up. Raises ValueError without points.
    """
    paths = [np.asarray(path, np.float64) for path in trajectories if len(path)]
    if not paths:
        raise ValueError("landscape: no weights have been recorded yet")
    size = paths[0].shape[1]
    if size <= 2:
        axes = np.eye(2, size)
        return Plane(origin=np.zeros(size), axes=axes, explained=1.0)
    origin = np.mean([path.mean(axis=0) for path in paths], axis=0)
    rows = np.concatenate([(path - origin) / np.sqrt(len(path)) for path in paths])
    axes, explained = _principal(rows)
    travelled = np.sum([path[-1] - path[0] for path in paths], axis=0)
    signs = np.where(axes @ travelled < 0, -1.0, 1.0)
    return Plane(origin=origin, axes=axes * signs[:, None], explained=explained)


def _principal(rows: Array) -> tuple[Array, float]:
    """The first two principal directions of centred rows, and their share of the variance.

    Computed from the rows' inner products, as there are far fewer rows than parameters. If the rows
    span less than a plane, the missing direction is any orthogonal one.
    """
    values, vectors = np.linalg.eigh(rows @ rows.T)
    total = float(values.sum())
    axes = np.zeros((2, rows.shape[1]))
    for number, which in enumerate((-1, -2)[: len(values)]):
        if values[which] > 1e-12 * max(total, 1e-300):
            axes[number] = vectors[:, which] @ rows / np.sqrt(values[which])
    for number in range(2):
        if not axes[number].any():
            axes[number] = _at_right_angles(axes[1 - number])
    explained = float(values[-2:].sum()) / total if total > 0 else 1.0
    return axes, min(explained, 1.0)


def _at_right_angles(direction: Array) -> Array:
    """A unit vector orthogonal to `direction`, a unit vector or zero."""
    unit = np.zeros_like(direction)
    unit[int(np.argmin(np.abs(direction)))] = 1.0
    rest: Array = unit - (unit @ direction) * direction
    rest /= np.linalg.norm(rest)
    return rest


def window_around(points: Array) -> Window:
    """A window that shows all these points of the plane, of shape (count, 2), with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    extent = float(max((high - low).max(), 1e-6 * np.abs(points).max(), 1e-9))
    # Neither side may be so thin that the picture shows only a line of the plane.
    half = np.maximum((high - low) * (0.5 + _MARGIN), extent * 0.3)
    x, y = ((low + high) / 2).tolist()
    across, up = half.tolist()
    return Window(left=x - across, right=x + across, bottom=y - up, top=y + up)


def loss_row(
    loss_at: Callable[[Array], float],
    plane: Plane,
    window: Window,
    columns: int,
    rows: int,
    row: int,
) -> Array:
    """The losses at the centres of one row of a grid over the window, from the left.

    Row 0 is at the top.
    """
    x, y = window.centres(columns, rows)
    points = np.stack([x, np.full(columns, y[row])], axis=1)
    return np.array([loss_at(weights) for weights in plane.weights(points)])
