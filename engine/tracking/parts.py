"""The parts of a loop, made of what a script gives to `track`; torch only if the script has it."""

import operator
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from engine.tracking.epochs.count import EpochCount
from engine.tracking.opening import is_off

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from engine.tracking.loop.batches import LoaderBatches
    from engine.tracking.loop.updates import Updates
    from engine.tracking.ranks.team import GradientSync, Team


def updates_of(optimizer: "Optimizer | None", steps: int, team: "Team | None") -> "Updates | None":
    """The updates of an optimiser; None for a loop that gives none."""
    if optimizer is None:
        return None
    if not hasattr(optimizer, "param_groups"):
        raise TypeError(
            f"track(optimizer, loader): expected an optimizer first, not a "
            f"{type(optimizer).__name__}"
        )
    from engine.tracking.loop.updates import Updates  # imports torch, as the loop did

    return Updates(optimizer, steps, team)


def team_of(optimizer: "Optimizer | None") -> "Team | None":
    """The ranks that train together; None for a loop that trains alone."""
    if optimizer is None or "torch" not in sys.modules or is_off():
        return None
    from engine.tracking.ranks.team import find_team

    return find_team(optimizer)


def gradient_sync(model: "nn.Module | None") -> "GradientSync":
    """The reduction of the model's gradients over the ranks."""
    from engine.tracking.ranks.team import GradientSync

    return GradientSync(model)


def batches_of(
    loader: "Iterable[Any] | None", updates: "Updates | None", *, is_plain: bool
) -> "LoaderBatches | None":
    """The batches of a loader; None for a loop that gives none, or has no torch."""
    if loader is None or "torch" not in sys.modules:
        return None
    from engine.tracking.loop.batches import LoaderBatches

    device = "cpu" if updates is None else updates.device
    return LoaderBatches(loader, is_plain=is_plain, device=device)


def whole_number(name: str, value: Any, least: int) -> int:
    """An argument as a whole number; TypeError or ValueError if it is none, or below `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} {value!r}: expected a whole number") from None
    if number < least:
        raise ValueError(f"{name} {number}: expected a whole number from {least}")
    return number


def seconds(name: str, value: Any) -> float:
    """An argument as a time in seconds; TypeError or ValueError if it is none."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} {value!r}: expected seconds") from None
    if not number >= 0:
        raise ValueError(f"{name} {number:g}: expected seconds from 0")
    return number


def count_of(batches: "LoaderBatches | None") -> EpochCount:
    if batches is None:
        return EpochCount(0, 0, drop_last=False)
    return EpochCount(batches.epoch_samples, batches.batch_size, drop_last=batches.drop_last)
