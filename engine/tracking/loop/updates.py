"""The updates of a loop: backward, step and zero, exact under accumulation; the lr in force."""

from collections.abc import Iterator
from typing import Any, Final, Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

_NAMED_LR: Final = "initial_lr"
"""Entry of a parameter group that a scheduler adds: the lr that its curve starts from."""


class Ranks(Protocol):
    """The processes that train a model together and average their gradients."""

    size: int

    def total(self, weight: Any) -> Tensor:
        """The sum of a weight over all ranks."""


class Updates:
    """The updates of an optimiser, for the batches that a loop reports.

    Without accumulation, `backward` and `finish` are the three calls of a plain loop.
    """

    def __init__(self, optimizer: Optimizer, steps: int, ranks: Ranks | None = None) -> None:
        """`ranks`: those that average their gradients with this one's; None for no others."""
        self.optimizer = optimizer
        self._ranks = ranks
        self._is_weighted = False
        """True if the weights of the group may differ between ranks."""
        self.steps = steps
        """Batches per update; changes only between groups."""
        self._nominal: Any = 1.0
        """Sum of the weights by which the group's losses are divided before they are known."""
        self._total: Any = 0.0
        self._count = 0
        self._factor = 1.0
        self._own: list[Any] = []
        """The lrs of the loop while ours are in force; empty outside of a step."""
        self._hooks: list[Any] = []

    @property
    def in_group(self) -> int:
        """Batches of the group that has begun."""
        return self._count

    def backward(self, loss: Tensor, weight: Any, *, is_given: bool = False) -> None:
        """Add the gradient of a loss, which averages over `weight`, to that of the group.

        With `is_given`, the weight may differ between ranks.
        """
        self._is_weighted = is_given and self._ranks is not None
        if self.steps == 1 and not self._is_weighted:
            loss.backward()  # type: ignore[no-untyped-call]
            return
        if isinstance(weight, Tensor):
            weight = weight.to(torch.promote_types(loss.dtype, torch.float32))
        if not self._count:
            is_number = isinstance(weight, int | float) and weight > 0 and not self._is_weighted
            self._nominal = weight * self.steps if is_number else self.steps
            self._total = 0.0
        (loss * (weight / self._nominal)).backward()
        self._total = self._total + weight
        self._count += 1

    def finish(self) -> None:
        """End the group: the optimiser's step with its mean gradient, which is then cleared."""
        if self._count:
            self._divide()
            self._count = 0
        self.optimizer.step()
        self.optimizer.zero_grad()

    def _divide(self) -> None:
        """Correct the gradient if the weights did not come to the sum that was expected."""
        if self._is_weighted and self._ranks is not None:
            total = self._ranks.total(self._total)
            ratio: Any = float(self._ranks.size * self.steps / total)  # gradients may be sharded
        elif isinstance(self._total, Tensor):
            ratio = self._nominal / self._total.clamp_min(torch.finfo(self._total.dtype).tiny)
        elif self._total == self._nominal or not self._total:
            return
        else:
            ratio = self._nominal / self._total
        for each in self._parameters():
            if each.grad is not None:
                each.grad.mul_(ratio.to(each.grad.device) if isinstance(ratio, Tensor) else ratio)

    def _parameters(self) -> Iterator[Tensor]:
        for group in self.optimizer.param_groups:
            yield from group["params"]

    # --- For the record -------------------------------------------------------------------------

    @property
    def described(self) -> tuple[str, float]:
        """The optimiser's name, and its momentum if that is one number below 1."""
        momentum = self.optimizer.defaults.get("momentum", 0.0)
        is_usual = isinstance(momentum, int | float) and 0 <= momentum < 1
        return type(self.optimizer).__name__.lower(), float(momentum) if is_usual else 0.0

    @property
    def parameters(self) -> int:
        """The numbers that the optimiser trains."""
        return sum(int(each.numel()) for each in self._parameters())

    @property
    def device(self) -> str:
        """The device of the first parameter."""
        return next((str(each.device) for each in self._parameters()), "cpu")

    # --- The lr ---------------------------------------------------------------------------------

    @property
    def lr(self) -> float:
        """The lr of the first parameter group that the next step uses."""
        lr = self.optimizer.param_groups[0]["lr"]
        return lr * self._factor if type(lr) is float else float(lr) * self._factor

    @property
    def base_lr(self) -> float:
        """The loop's lr of the first parameter group, before a scheduler changes it."""
        group = self.optimizer.param_groups[0]
        return float(group.get(_NAMED_LR, group["lr"]))

    @property
    def has_schedule(self) -> bool:
        """True if a scheduler was built on the optimiser."""
        return _NAMED_LR in self.optimizer.param_groups[0]

    def scale_lr(self, factor: float) -> None:
        """Multiply the loop's lrs by `factor` during each step; a scheduler never sees it."""
        self._factor = factor
        if factor != 1 and not self._hooks:
            self._hooks = [
                self.optimizer.register_step_pre_hook(self._begin_step),
                self.optimizer.register_step_post_hook(self._end_step),
            ]
        elif factor == 1:
            self.release()

    def release(self) -> None:
        """Leave the optimiser as it was."""
        self._factor = 1.0
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def _begin_step(self, *_: Any) -> None:
        if not self._own:
            groups = self.optimizer.param_groups
            self._own = [each["lr"] for each in groups]
            for each in groups:
                each["lr"] = each["lr"] * self._factor

    def _end_step(self, *_: Any) -> None:
        for each, lr in zip(self.optimizer.param_groups, self._own, strict=False):
            each["lr"] = lr
        self._own = []
