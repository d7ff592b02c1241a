"""The landscape on a quadratic whose minimum is known, and projections of recorded weights."""

import numpy as np
import pytest

from engine.landscape.plane import Plane, Window, loss_row, plane_of, window_around

generator = np.random.default_rng(0)


def grid(loss_at: object, plane: Plane, window: Window, columns: int, rows: int) -> np.ndarray:
    return np.stack([loss_row(loss_at, plane, window, columns, rows, row) for row in range(rows)])  # type: ignore[arg-type]


def descend(start: np.ndarray, lr: float, minimum: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    points = [start]
    for _ in range(30):
        points.append(points[-1] - lr * curvature * (points[-1] - minimum))
    return np.array(points)


@pytest.mark.parametrize("size", [2, 6])
def test_the_drawn_minimum_is_within_one_cell(size: int) -> None:
    """Trajectories of a quadratic with two curvatures lie in a plane that holds its minimum."""
    minimum = generator.normal(size=size)
    curvature = np.where(np.arange(size) % 2, 1.0, 0.3)
    paths = [descend(minimum + 2, lr, minimum, curvature) for lr in (0.1, 0.5, 1.0)]
    plane = plane_of(paths)
    assert plane.explained == pytest.approx(1)
    window = window_around(np.concatenate([plane.project(path) for path in paths]))
    columns, rows = 60, 25
    losses = grid(
        lambda w: float((curvature * (w - minimum) ** 2).sum()), plane, window, columns, rows
    )
    row, column = np.unravel_index(np.argmin(losses), losses.shape)
    x, y = window.centres(columns, rows)
    drawn, known = np.array([x[column], y[row]]), plane.project(minimum[None])[0]
    cell = np.array([(window.right - window.left) / columns, (window.top - window.bottom) / rows])
    assert (np.abs(drawn - known) <= cell).all()


def test_two_parameters_are_their_own_plane() -> None:
    path = generator.normal(size=(5, 2))
    plane = plane_of([path])
    assert np.array_equal(plane.project(path), path)
    assert np.array_equal(plane.weights(path), path)
    assert plane.explained == 1


def test_projections_are_those_of_the_weights() -> None:
    paths = [generator.normal(size=(count, 50)).cumsum(axis=0) for count in (20, 3, 90)]
    plane = plane_of(paths)
    assert np.allclose(plane.axes @ plane.axes.T, np.eye(2))
    for path in paths:
        points = plane.project(path)
        rest = path - plane.weights(points)
        assert np.allclose(
            rest @ plane.axes.T, 0
        )  # what is left out is at right angles to the plane


def test_the_plane_is_that_of_the_first_two_components() -> None:
    rows = generator.normal(size=(40, 6)) * [9, 4, 1, 1, 1, 1]
    plane = plane_of([rows])
    _, values, vectors = np.linalg.svd(rows - rows.mean(axis=0))
    assert np.allclose(np.abs(plane.axes @ vectors[:2].T), np.eye(2), atol=1e-9)
    assert plane.explained == pytest.approx((values[:2] ** 2).sum() / (values**2).sum())


def test_each_trajectory_counts_the_same() -> None:
    """A thousand points along one direction do not outvote three that lead elsewhere."""
    long, short = np.zeros((1000, 4)), np.zeros((3, 4))
    long[:, 0] = np.linspace(0, 1, 1000)
    short[:, 1] = [0, 1, 2]
    plane = plane_of([long, short])
    assert abs(plane.axes[0, 1]) > abs(plane.axes[0, 0])


def test_paths_run_to_the_right() -> None:
    path = -np.linspace(0, 1, 9)[:, None] * np.ones((9, 5))
    points = plane_of([path]).project(path)
    assert points[-1, 0] > points[0, 0]


@pytest.mark.parametrize("count", [1, 2])
def test_one_point_or_a_line_still_has_a_plane(count: int) -> None:
    plane = plane_of([np.arange(count * 7.0).reshape(count, 7)])
    assert np.allclose(plane.axes @ plane.axes.T, np.eye(2))
    assert plane.explained == pytest.approx(1)


def test_one_parameter_has_a_line() -> None:
    path = np.array([[3.0], [2.0], [1.5]])
    plane = plane_of([path])
    assert np.array_equal(plane.project(path)[:, 0], path[:, 0])
    assert np.array_equal(plane.weights(plane.project(path)), path)


def test_no_weights_no_plane() -> None:
    with pytest.raises(ValueError, match="no weights have been recorded yet"):
        plane_of([np.zeros((0, 4))])


def test_a_window_zooms_about_its_centre_and_pans_by_its_extent() -> None:
    window = Window(left=-1, right=3, bottom=0, top=2)
    assert window.zoomed(0.5) == Window(left=0, right=2, bottom=0.5, top=1.5)
    assert window.panned(0.5, -1) == Window(left=1, right=5, bottom=-2, top=0)


def test_a_window_shows_all_points_and_never_a_line() -> None:
    points = np.array([[0.0, 1.0], [10.0, 1.0]])
    window = window_around(points)
    assert window.left < 0
    assert window.right > 10
    assert window.top - window.bottom >= 3
    alone = window_around(points[:1])
    assert alone.left < 0 < alone.right
