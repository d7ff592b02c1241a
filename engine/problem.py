"""What is trained: data, model and loss. Importing this loads no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A training problem.

    `train` holds tensors of n samples along their first dimension, the last one the target; the
    others go to the model as its arguments. `model()` makes a module with fresh weights drawn from
    torch's global generator. `loss(output, target)` is the mean over the batch, as a scalar.
    """

    train: tuple[Tensor, ...]
    model: Callable[[], nn.Module]
    loss: Callable[[Tensor, Tensor], Tensor]

    def __post_init__(self) -> None:
        if len(self.train) < 2:
            raise ValueError("train: at least one tensor of inputs, and the target last")
        sizes = {len(tensor) for tensor in self.train}
        if len(sizes) > 1:
            raise ValueError(f"train: tensors of one length, not of {sorted(sizes)}")
        if sizes == {0}:
            raise ValueError("train: no samples")

    @property
    def n(self) -> int:
        """Samples in the training set."""
        return len(self.train[0])
