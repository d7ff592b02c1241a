"""The number of losses beyond the y axis of a chart, as its marks tell it. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from gdtui.chart.scene.picture import Picture
from gdtui.history import History
from gdtui.view.text import formatting
from gdtui.view.view_state import ViewState

_FAR: Final = 3.0
"""Heights of the axis above it from which a logarithmic one is offered."""


def with_counts(picture: Picture, histories: Iterable[History], view: ViewState) -> Picture:
    """The picture with the counts of losses below and above its y axis, in its range of x."""
    x, y = picture.x, picture.y
    counts = [each.beyond(view.axis, x.low, x.high, (y.low, y.high)) for each in histories]
    below, above = sum(each[0] for each in counts), sum(each[1] for each in counts)
    if not below and not above:
        return picture
    every = [high for one in picture.series for high in (one.reach.high, one.line.high)]
    far = y.high + _FAR * (y.high - y.low)
    is_far = not view.log and any(bool((high > far).any()) for high in every)
    offer = " · y: log" if is_far else ""
    return replace(
        picture,
        above=f"{above:,} above {formatting.number(y.high, 2)}{offer}" if above else "",
        below=f"{below:,} below {formatting.number(y.low, 2)}" if below else "",
    )
