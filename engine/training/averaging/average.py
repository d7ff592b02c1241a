"""Kinds of average that a loss may be: over samples, not divided (a sum), or weighted.

A loss is Σ s ÷ Σ w over the samples of a batch. The losses of its pieces, each times the piece's
Σ w, add up to the batch's Σ s; dividing that by the batch's Σ w gives the loss of the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from engine.settings import LossAverage

Weigh = Callable[[Tensor, Any, Any], Any]
"""`weigh(loss, output, target)` returns the divisor of that batch's loss, without its gradient."""


@dataclass(frozen=True, slots=True)
class Average:
    """A kind of average, with the function for its weight unless that is the number of samples."""

    described: LossAverage
    weigh: Weigh | None = None
    """None for means over samples and for sums, whose shares are known before the forward pass."""

    @property
    def is_sum(self) -> bool:
        return self.described.is_sum


SAMPLES: Final = Average(LossAverage(over="samples"))
SUM: Final = Average(LossAverage(over="", is_sum=True))


def weight_of(weight: Any, loss: Tensor) -> Tensor:
    """The weight of a batch's loss, a number or a tensor, as a tensor on the loss's device."""
    if isinstance(weight, Tensor):
        return weight.detach().to(loss.device)
    return torch.full((), float(weight), dtype=_wide(loss), device=loss.device)


def without_nothing(loss: Tensor, weight: Tensor, output: Any) -> Tensor:
    """The loss; if its weight is 0 (so the loss is 0 ÷ 0 = NaN), 0 with gradients of 0."""
    has_weight = weight > 0
    if loss.requires_grad:
        # The derivative of 0 ÷ 0 is NaN even if its result is not used.
        _shield(output, has_weight)
    return torch.where(has_weight, loss.to(_wide(loss)), 0)


def _wide(loss: Tensor) -> torch.dtype:
    """A dtype that holds loss × weight; bfloat16 has no number between 256 and 258."""
    return torch.promote_types(loss.dtype, torch.float32)


def _shield(output: Any, has_weight: Tensor) -> None:
    """Block the gradient of a model's output if it has no weight. Does not wait for the device."""
    if isinstance(output, Tensor):
        if output.requires_grad:
            output.register_hook(  # type: ignore[no-untyped-call]
                lambda gradient: torch.where(has_weight, gradient, 0)
            )
    elif isinstance(output, dict):
        _shield(tuple(output.values()), has_weight)
    elif isinstance(output, tuple | list):
        for each in output:
            _shield(each, has_weight)
    elif hasattr(output, "__dict__"):
        for each in vars(output).values():
            if isinstance(each, Tensor | dict | tuple | list):
                _shield(each, has_weight)
