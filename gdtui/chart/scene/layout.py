"""The position of the canvas in a chart. Imports neither numpy nor plotext."""

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from gdtui.chart.scene.picture import Scale

GUTTER: Final = 5
"""Columns reserved for y labels, so that the canvas does not move when a label gets longer."""
_AXIS: Final = 1
BELOW: Final = 2
"""Rows below the canvas: the axis and its labels."""
_LEAST_WIDTH: Final = 12
_LEAST_HEIGHT: Final = 3
_APART: Final = 8
"""Columns between the numbers of two lines."""


class Room(NamedTuple):
    """A rectangle of cells, relative to the chart's content."""

    left: int
    top: int
    width: int
    height: int
    framed: bool


def room(y: "Scale | None", width: int, height: int) -> Room:
    """The canvas in a chart of this size; small charts have no frame, tiny ones no canvas."""
    if width < 4 or height < 2:
        return Room(0, 0, 0, 0, False)
    left = _gutter(y.ticks if y else ()) + _AXIS
    if width < left + _LEAST_WIDTH or height < BELOW + _LEAST_HEIGHT:
        return Room(0, 0, width, height, False)
    return Room(left, 0, width - left, height - BELOW, True)


@lru_cache(maxsize=64)
def _gutter(ticks: tuple[tuple[float, str], ...]) -> int:
    """Columns for these y labels; every frame asks for the same ones several times."""
    return max([GUTTER, *(len(clean(text)) for _, text in ticks)])


def places(turn: int, turns: int, width: int) -> range:
    """The columns for the numbers along line `turn` of the `turns` lines that alternate."""
    return range(_APART * turn + _APART // 2, width, _APART * turns)


def clean(text: str) -> str:
    """The text without control characters, which plotext would pass on to the terminal."""
    return "".join(character for character in text if character.isprintable())
