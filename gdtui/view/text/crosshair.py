"""The crosshair's readout of one variant: the batch under it, in columns with fixed positions.

Pure functions from a batch to styled text of a given width. Looks nothing up.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gdtui.history import BatchInfo
from gdtui.view.text import formatting
from gdtui.view.text.styled import NEW_LINE, StyledText, lines

_LABEL: Final = "$foreground 60%"
_UNKNOWN: Final = "–"
_ATTRIBUTES: Final = {"size": "batch_size", "smooth": "smoothed"}
_NOTHING: Final = "no batch here"
_GAP: Final = "  "
_ROOMY: Final = 18
"""Width in cells beyond which a label and its value would be too far apart."""


def _count(value: float, width: int) -> str:
    """The exact value, if there is room for it."""
    text = f"{value:,.0f}"
    return text if len(text) <= width else formatting.count(value)


@dataclass(frozen=True, slots=True)
class _Field:
    """A value of the readout, with its label."""

    label: str
    short: str
    width: int
    """Cells of its column in a line, including the gap before it."""
    rank: int
    """Rank; in a narrow line the lowest stay."""
    text: Callable[[BatchInfo, int], str]
    """The text in this many cells, if it fits."""


_SIZE: Final = _Field("size", "of", 7, 5, lambda info, width: _size(info, width))
_LR: Final = _Field("lr", "lr", 8, 4, lambda info, _: formatting.rounded(info.lr))
_SECONDS: Final = _Field("seconds", "sec", 6, 8, lambda info, width: _seconds(info.seconds, width))
_LOSS: Final = _Field("loss", "L", 7, 0, lambda info, width: formatting.within(info.loss, width))
_SMOOTH: Final = _Field(
    "smooth", "~", 7, 1, lambda info, width: formatting.within(info.smoothed, width)
)
_BATCH: Final = _Field("batch", "b", 8, 2, lambda info, width: _count(info.batch, width))
_UPDATE: Final = _Field("update", "u", 8, 3, lambda info, width: _count(info.update, width))
_EPOCH: Final = _Field("epoch", "ep", 4, 7, lambda info, width: _count(info.epoch, width))
_SAMPLES: Final = _Field("samples", "n", 8, 6, lambda info, width: _count(info.samples, width))

_GRID: Final = ((_SIZE, _LR, _SECONDS), (_LOSS, _BATCH, _EPOCH), (_SMOOTH, _UPDATE, _SAMPLES))
"""Rows of a panel: one above its chart, in place of the settings, and two below it."""
_LINE: Final = (_BATCH, _UPDATE, _EPOCH, _SAMPLES, _SECONDS, _LOSS, _SMOOTH, _SIZE, _LR)

LABELS: Final = tuple(dict.fromkeys(label for each in _LINE for label in (each.label, each.short)))
"""Every label beside a value, in its long and short form."""


def _text(field: _Field, info: BatchInfo, width: int) -> str:
    """The text of a value; a dash for one that is not known, as in an imported run."""
    value = getattr(info, _ATTRIBUTES.get(field.label, field.label))
    return _UNKNOWN if math.isnan(value) else field.text(info, width)


def _size(info: BatchInfo, width: int) -> str:
    """The batch's samples, and × the batches per update."""
    steps = f"×{info.accumulation_steps}" if info.accumulation_steps > 1 else ""
    text = f"{info.batch_size:,}{steps}"
    return text if len(text) <= width else f"{info.batch_size}{steps}"


def _seconds(value: float, width: int) -> str:
    """Seconds with as many decimals as fit, at most four."""
    return f"{value:.{min(max(width - 1 - len(str(int(value))), 0), 4)}f}"


# --- In a panel -----------------------------------------------------------------------------------


def settings(info: BatchInfo | None, width: int) -> StyledText:
    """The settings in force there; one line."""
    return _row(_GRID[0], info, width) if info else StyledText.of(_NOTHING, _LABEL)


def figures(info: BatchInfo | None, width: int) -> StyledText:
    """The batch's numbers and its loss; two lines."""
    if info is None:
        return NEW_LINE
    return lines([_row(fields, info, width) for fields in _GRID[1:]])


def _row(fields: tuple[_Field, ...], info: BatchInfo, width: int) -> StyledText:
    cell = min(max(1, (width - len(_GAP) * (len(fields) - 1)) // len(fields)), _ROOMY)
    return StyledText.of(_GAP).join([_cell(field, info, cell) for field in fields])


def _cell(field: _Field, info: BatchInfo, width: int) -> StyledText:
    label = field.label if len(field.label) + field.width - 1 <= width else field.short
    text = _text(field, info, width - len(label))
    label = label[: max(0, width - len(text))]
    value = text.rjust(width - len(label)), "bold" if field is _LOSS else ""
    return StyledText(((label, _LABEL), value))


# --- In a line ------------------------------------------------------------------------------------


def heading(width: int) -> str:
    """The names of the columns of `line`, for its right end."""
    names = (
        (field, field.label if len(field.label) < field.width else field.short)
        for field in _fitting(width)
    )
    return "".join(f"{name:>{field.width}}" for field, name in names).lstrip()


def line(info: BatchInfo | None, width: int) -> StyledText:
    """The batch in columns, of this width in cells."""
    if info is None:
        return StyledText.of(_NOTHING.rjust(width), _LABEL)
    cells = [
        (field, _text(field, info, field.width - 1).rjust(field.width)) for field in _fitting(width)
    ]
    columns = StyledText(tuple((text, "bold" if field is _LOSS else "") for field, text in cells))
    return StyledText.of(" " * (width - columns.cell_length)) + columns


def _fitting(width: int) -> list[_Field]:
    chosen: set[_Field] = set()
    for field in sorted(_LINE, key=lambda field: field.rank):
        if sum(each.width for each in chosen) + field.width <= width:
            chosen.add(field)
    return [field for field in _LINE if field in chosen]
