"""The number of losses beyond the y axis of a chart, as its marks tell it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from gdtui.chart.scene.picture import POINTS, Picture
from gdtui.history import History
from gdtui.history.storage.kept_points import KeptPoints
from gdtui.state.curves import Curves
from gdtui.state.variant import PLACE
from gdtui.view.text import formatting
from gdtui.view.view_state import ViewState

_FAR: Final = 3.0
"""Heights of the axis above it from which a logarithmic one is offered."""


def with_counts(
    picture: Picture,
    histories: Iterable[History],
    view: ViewState,
    measured: Sequence[Curves] = (),
) -> Picture:
    """The picture with the counts of losses below and above its y axis, in its range of x.

    `measured`: the curves whose single values are drawn, and so are counted as well.
    """
    x, y = picture.x, picture.y
    counts = [each.beyond(view.axis, x.low, x.high, (y.low, y.high)) for each in histories]
    below, above = (
        [
            sum(each[end] for each in counts),
            sum(_points_beyond(each.evaluations, picture, view)[end] for each in measured),
            sum(_points_beyond(each.validations, picture, view)[end] for each in measured),
        ]
        for end in (0, 1)
    )
    if not any(below) and not any(above):
        return picture
    every = [high for one in picture.series for high in (one.reach.high, one.line.high)]
    far = y.high + _FAR * (y.high - y.low)
    is_far = not view.log and any(bool((high > far).any()) for high in every)
    offer = " · y: log" if is_far else ""
    return replace(
        picture,
        above=f"{_told(above)} above {formatting.number(y.high, 2)}{offer}" if any(above) else "",
        below=f"{_told(below)} below {formatting.number(y.low, 2)}" if any(below) else "",
    )


def _points_beyond(points: KeptPoints, picture: Picture, view: ViewState) -> tuple[int, int]:
    """The numbers of single values in the window below and above the axis."""
    rows = points.values
    at, losses = rows[:, PLACE[view.axis]], rows[:, 3]
    seen = losses[(at >= picture.x.low) & (at <= picture.x.high) & np.isfinite(losses)]
    if view.log:
        seen = seen[seen > 0]
    return int((seen < picture.y.low).sum()), int((seen > picture.y.high).sum())


def _told(counts: list[int]) -> str:
    """The numbers of losses, ◆ and ◇, such as "37 losses and 2 ◇"."""
    losses = " loss" if counts[0] == 1 else " losses"
    signs = (losses, *(f" {sign}" for sign in POINTS[:2]))
    return " and ".join(
        f"{count:,}{sign}" for count, sign in zip(counts, signs, strict=True) if count
    )
