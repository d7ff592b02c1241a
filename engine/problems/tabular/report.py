"""The record of what a file of data was read as, put together from what was read."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from engine.problems.tabular.target import Target, TargetKind
from engine.settings import MOST_NAMED, ClassCount, DataReading, LeftOut
from engine.settings.text import clean

_LOSSES: Final = {
    TargetKind.TWO_CLASSES: "binary cross-entropy",
    TargetKind.CLASSES: "cross-entropy",
    TargetKind.NUMBER: "mean squared error",
}


def report(
    file: str, target: Target, held_out: int, *, name: str, unit: str = "", form: str = "",
    features: Mapping[str, int], left_out: Mapping[str, str] | None = None,
    rows_left_out: int = 0, remarks: Iterable[str] = (),
) -> DataReading:  # fmt: skip
    """The record of a file whose target is `target`, `held_out` of its samples held out.

    `features`: the number of inputs by kind. `left_out`: reasons by column.
    """
    left = left_out or {}
    named = list(left.items())[:MOST_NAMED]
    return DataReading(
        file=clean(file),
        form=form,
        target=clean(name),
        kind=target.kind.value,
        loss=_LOSSES[target.kind],
        unit=clean(unit),
        class_count=len(target.classes),
        classes=_classes(target),
        **features,
        left_out_count=len(left),
        left_out=tuple(LeftOut(column=clean(each), reason=why) for each, why in named),
        rows=len(target.values),
        rows_left_out=rows_left_out,
        held_out=held_out,
        share=held_out / len(target.values),
        remarks=tuple(map(clean, remarks))[:MOST_NAMED],
    )


def _classes(target: Target) -> tuple[ClassCount, ...]:
    """The most frequent classes first."""
    if not target.classes:
        return ()
    counts = np.bincount(target.values, minlength=len(target.classes))
    order = np.argsort(-counts, kind="stable")[:MOST_NAMED]
    return tuple(
        ClassCount(name=clean(class_name(target.classes[each])), samples=int(counts[each]))
        for each in order.tolist()
    )


def class_name(value: Any) -> str:
    """The class as it was written: 1.0 is 1."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)
