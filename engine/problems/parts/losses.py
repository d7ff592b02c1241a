"""Losses and metrics shared by problems: f(output, target) is a mean over the batch.

Each has a name by which another process can look it up; see engine/problems/handover.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from torch import Tensor
from torch.nn import functional


def binary_loss(output: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy of logits (b, 1) against 0.0 or 1.0 (b,), in nats."""
    # Only the last dimension is squeezed: a one-sample batch keeps its shape (1,).
    return functional.binary_cross_entropy_with_logits(output.squeeze(-1), target)


def binary_accuracy(output: Tensor, target: Tensor) -> Tensor:
    """Share of logits (b, 1) that are on the target's side of 0."""
    return ((output.squeeze(-1) > 0) == (target > 0.5)).float().mean()


def class_loss(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of logits (b, …, classes) against class numbers (b, …), in nats."""
    return functional.cross_entropy(output.flatten(0, -2), target.flatten())


def accuracy(output: Tensor, target: Tensor) -> Tensor:
    """Share of targets (b, …) that have the largest of their logits (b, …, classes)."""
    return (output.argmax(-1) == target).float().mean()


def squared_loss(output: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of (b, 1) against (b,)."""
    return functional.mse_loss(output.squeeze(-1), target)


def absolute_error(output: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error of (b, 1) against (b,)."""
    return functional.l1_loss(output.squeeze(-1), target)


class AbsoluteError(msgspec.Struct, frozen=True, kw_only=True):
    """Mean absolute error in the target's original unit; training divides targets by `unit`."""

    unit: float

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        return absolute_error(output, target) * self.unit


BY_NAME: Final[dict[str, Callable[[Tensor, Tensor], Tensor]]] = {
    function.__name__: function
    for function in (
        *(binary_loss, class_loss, squared_loss),
        *(binary_accuracy, accuracy, absolute_error),
    )
}
