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
    values: NDArray[Any], location: FileLocation, *, are_labels: bool = False
) -> Target:
    """The target with these values (n,), none of which may be missing.

    Two different values are two classes; text and booleans are classes; numbers are classes if
    `are_labels` is true or if they count 0, 1, 2 … or 1, 2, 3 … (up to MOST_NUMBERED_CLASSES).
    Raises SettingsError if there is nothing to learn.
    """
    distinct, numbers = np.unique(values, return_inverse=True)
    if len(distinct) < 2:
        raise location.wrong(f"every value is {distinct[0]!s}: nothing to learn")
    is_text = values.dtype.kind not in "iufb"
    repeats = len(distinct) <= max(len(values) / _LEAST_PER_CLASS, 2)
    are_classes = len(distinct) == 2 or is_text or are_labels or (repeats and _count_up(distinct))
    if not are_classes:
        return Target(kind=TargetKind.NUMBER, values=values.astype(np.float64))
    if not repeats:
        raise location.wrong(
            f"{len(distinct):,} different values in {len(values):,} samples are too many classes "
            "to learn"
        )
    kind = TargetKind.TWO_CLASSES if len(distinct) == 2 else TargetKind.CLASSES
    return Target(kind=kind, values=numbers.astype(np.int64), classes=tuple(distinct.tolist()))


def _count_up(distinct: NDArray[Any]) -> bool:
    """True if these ascending values are 0, 1, 2 … or 1, 2, 3 …, and not too many."""
    first = distinct[0]
    return (
        first in (0, 1)
        and len(distinct) <= MOST_NUMBERED_CLASSES
        and np.array_equal(distinct, np.arange(first, first + len(distinct)))
    )
