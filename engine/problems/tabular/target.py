"""Kinds of target: one of two classes, one of several, or a number. Only works on arrays."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.problems.tabular.location import FileLocation

MOST_NUMBERED_CLASSES: Final = 20
"""Whole numbers 0, 1, 2 … or 1, 2, 3 … up to this many are classes, not amounts."""
_LEAST_PER_CLASS: Final = 2
"""Least average number of samples per class; with fewer, values are names rather than classes."""


_SHOWN: Final = 24
"""Characters of a value in a message."""


class TargetKind(Enum):
    """The kind of prediction, which determines loss and metric."""

    TWO_CLASSES = "two classes"
    CLASSES = "classes"
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The target of n samples."""

    kind: TargetKind
    values: NDArray[Any]
    """Shape (n,): class numbers from 0 as int64, or float64 numbers as read."""
    classes: tuple[Any, ...] = ()
    """The value of each class number, in ascending order; () for numbers."""


def read_target(
    values: NDArray[Any],
    location: FileLocation,
    *,
    are_labels: bool = False,
    are_classes: bool | None = None,
    option: str = "target",
) -> Target:
    """The target with these values (n,), none of which may be missing.

    Two different values are two classes; text and truth values are classes; numbers are classes
    when `are_labels` says so or when they count 0, 1, 2 … or 1, 2, 3 … (up to
    MOST_NUMBERED_CLASSES). `are_classes` is the user's own decision, and `option` the name of the
    target in the options that make it. SettingsError when there is nothing to learn.
    """
    distinct, numbers = np.unique(values, return_inverse=True)
    if len(distinct) < 2:
        raise location.wrong(f"every value is {distinct[0]!s}: nothing to learn")
    is_text = values.dtype.kind not in "iufb"
    if are_classes is False and is_text:
        raise location.wrong("words cannot be a number: omit --as-number")
    repeats = len(distinct) <= max(len(values) / _LEAST_PER_CLASS, 2)
    if are_classes is None:
        guessed = are_labels or (repeats and _count_up(distinct))
        are_classes = len(distinct) == 2 or is_text or guessed
    if not are_classes:
        return Target(kind=TargetKind.NUMBER, values=_as_floats(values))
    if not repeats:
        hint = f"; --as-number {option} predicts the number"
        if is_text:
            shown = str(values[0])[:_SHOWN]
            has_digit = any(map(str.isdigit, shown))
            hint = f"; {shown!r} could not be read as a number" if has_digit else ""
        raise location.wrong(
            f"{len(distinct):,} different values in {len(values):,} samples are too many classes "
            f"to learn{hint}"
        )
    kind = TargetKind.TWO_CLASSES if len(distinct) == 2 else TargetKind.CLASSES
    return Target(kind=kind, values=numbers.astype(np.int64), classes=tuple(distinct.tolist()))


def _as_floats(values: NDArray[Any]) -> NDArray[np.float64]:
    """Float64; of whole numbers beyond it the differences to the least, for they are exact."""
    if values.dtype.kind in "iu" and np.abs(values.astype(np.float64)).max() >= 2**53:
        return np.asarray((values - values.min()).astype(np.float64))
    return np.asarray(values.astype(np.float64))


def _count_up(distinct: NDArray[Any]) -> bool:
    """True if these ascending values are 0, 1, 2 … or 1, 2, 3 …, and not too many."""
    first = distinct[0]
    return (
        first in (0, 1)
        and len(distinct) <= MOST_NUMBERED_CLASSES
        and np.array_equal(distinct, np.arange(first, first + len(distinct)))
    )
