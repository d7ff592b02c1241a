"""Records of what a Trainer measures on held-out samples."""

import math
from collections.abc import Mapping
from typing import Any

from engine.log.records import Evaluation, Validated
from engine.settings.text import clean
from engine.tracking.record.chunking import Counters


def numbers_of(values: Mapping[str, Any]) -> dict[str, float]:
    """Those of the values that are one number each, by their names."""
    numbers = {}
    for name, value in values.items():
        if isinstance(value, bool | str) or value is None:
            continue
        try:
            number = float(value)
        except (TypeError, ValueError, RuntimeError):  # a list, a tensor of several numbers
            continue
        numbers[clean(str(name))] = number
    return numbers


def evaluation_of(
    at: Counters, loss: float | None, metrics: dict[str, float], *, ends_epoch: bool
) -> Evaluation | Validated | None:
    """The record of a held-out loss and metrics; None if there is no loss, within an epoch."""
    metrics = {name: value for name, value in metrics.items() if not math.isnan(value)}
    found = Evaluation(
        generation=1,
        epoch=at.epoch,
        batches=at.batches,
        updates=at.updates,
        samples=at.samples,
        seconds=at.seconds,
        full_loss=None,
        validation_loss=loss,
        metrics=metrics,
    )
    return found if ends_epoch else found.validated
