"""Sums over pieces, divided once: the loss of a batch or a data set, and the gradient of an update.

Nothing here waits for the device, except where a number is asked for.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn


def scaled(loss: Tensor, share: float, weight: Tensor | None) -> Tensor:
    """The loss times its weight, or else its share; untouched where that is 1.

    That saves two kernels a batch.
    """
    if weight is not None:
        return loss * weight
    return loss if share == 1 else loss * share


def divide_gradients(parameters: Iterable[nn.Parameter], weights: Sequence[Tensor]) -> None:
    """Divide the gradients added up by the weight of all of it; without any, they are 0 already."""
    gradients = [each.grad for each in parameters if each.grad is not None]
    if weights and gradients:
        # One kernel for all, where the types are the same.
        kind = torch.promote_types(gradients[0].dtype, torch.float32)
        torch._foreach_div_(gradients, divisor(weights).to(kind))


def divisor(weights: Sequence[Tensor]) -> Tensor:
    """The divisor of a sum of losses times these weights: all of them, or 1 where they are 0."""
    total = _sum(weights)
    return total + (total == 0)


def _sum(weights: Sequence[Tensor]) -> Tensor:
    return sum(weights[1:], start=weights[0])


class Mean:
    """A loss or metric of a whole data set, from its pieces; of no weight at all, not a number."""

    def __init__(self, *, is_sum: bool = False) -> None:
        """`is_sum`: pieces are added up, and nothing is divided."""
        self._is_sum = is_sum
        self._total = 0.0
        self._weight = 0.0

    def add(self, value: Any, weight: Any, samples: int) -> None:
        """Add the value of a piece of so many samples, and its weight if that is not these.

        Waits for the device.
        """
        if self._is_sum:
            self._total, self._weight = self._total + float(value), 1.0
            return
        share = samples if weight is None else float(weight)
        self._weight += share
        if share:
            self._total += float(value) * share

    @property
    def value(self) -> float:
        """The value over all pieces so far."""
        return self._total / self._weight if self._weight else math.nan
