"""Sums over pieces, divided once: the loss of a batch or a data set, and the gradient of an update.

Nothing here waits for the device, except `Mean`, which returns numbers.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn


def scaled(loss: Tensor, share: float, weight: Tensor | None) -> Tensor:
    """The loss times its weight, or times its share if the weight is None.

    A share of 1 returns the loss itself, which saves two kernels a batch.
    """
    if weight is not None:
        return loss * weight
    return loss if share == 1 else loss * share


def divide_gradients(parameters: Iterable[nn.Parameter], weights: Sequence[Tensor]) -> None:
    """Divide accumulated gradients by their total weight; if that is 0, they are 0 already."""
    gradients = [each.grad for each in parameters if each.grad is not None]
    if weights and gradients:
        # One kernel for all gradients of the same dtype.
        kind = torch.promote_types(gradients[0].dtype, torch.float32)
        torch._foreach_div_(gradients, divisor(weights).to(kind))


def divisor(weights: Sequence[Tensor]) -> Tensor:
    """The divisor for a sum of losses times these weights: their total, or 1 if that is 0."""
    total = _sum(weights)
    return total + (total == 0)


def _sum(weights: Sequence[Tensor]) -> Tensor:
    return sum(weights[1:], start=weights[0])


class Mean:
    """A loss or metric of a whole data set, from its pieces; NaN if their total weight is 0."""

    def __init__(self, *, is_sum: bool = False) -> None:
        """With `is_sum`, pieces are added up and the total is not divided."""
        self._is_sum = is_sum
        self._total = 0.0
        self._weight = 0.0

    def add(self, value: Any, weight: Any, samples: int) -> None:
        """Add the value of a piece; a weight of None means the number of its samples.

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
