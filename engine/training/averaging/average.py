"""Averages that losses take: over samples, over nothing (a sum), or over whatever has weight.

A loss is Σ s ÷ Σ w over the samples of a batch. Losses of pieces, each times its own Σ w, add up to
the Σ s of all of them, whose division by the Σ w of all of them gives the loss of the whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from engine.settings import LossAverage

Weigh = Callable[[Tensor, Any, Any], Any]
"""`weigh(loss, output, target)`: what the loss of that batch was divided by, without its gradient.
"""


@dataclass(frozen=True, slots=True)
class Average:
    """A kind of average, with its weight where that is not simply the number of samples."""

    described: LossAverage
    weigh: Weigh | None = None
    """None for means over samples and for sums: their shares are known before they are computed."""

    @property
    def is_sum(self) -> bool:
        return self.described.is_sum


SAMPLES: Final = Average(LossAverage(over="samples"))
SUM: Final = Average(LossAverage(over="", is_sum=True))


def weight_of(weight: Any, loss: Tensor) -> Tensor:
    """The weight of a batch's loss as a tensor on its device, whatever it was given as."""
    if isinstance(weight, Tensor):
        return weight.detach().to(loss.device)
    return torch.full((), float(weight), dtype=_wide(loss), device=loss.device)


def without_nothing(loss: Tensor, weight: Tensor, output: Any) -> Tensor:
    """The loss, or 0 with gradients of 0 where it has no weight: 0 ÷ 0, and so not a number."""
    has_weight = weight > 0
    if loss.requires_grad:
        # The derivative of 0 ÷ 0 is no number even if nothing is made of its result.
        _shield(output, has_weight)
    return torch.where(has_weight, loss.to(_wide(loss)), 0)


def _wide(loss: Tensor) -> torch.dtype:
    """A type that holds the loss times its weight: bfloat16 knows no number between 256 and 258."""
    return torch.promote_types(loss.dtype, torch.float32)


def _shield(output: Any, has_weight: Tensor) -> None:
    """Let no gradient through to a model's output unless it has weight. Waits for no device."""
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
