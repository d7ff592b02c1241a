"""Runs a training loop with an optimiser that records the updates instead of making them.

Since the weights do not change, the gradients of all updates are taken at the same weights and can
be compared, even after a wrong update.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, nn

TrainStep = Callable[[nn.Module, torch.optim.Optimizer, Sequence[Any], int], Any]
"""`train(model, optimizer, batches, accumulation)` runs one epoch; returns the losses it logs."""
_LR: Final = 0.1
_SEED: Final = 0


@dataclass(slots=True)
class Recording:
    """The record of one run of the loop over some batches."""

    gradients: list[Tensor] = field(default_factory=list)
    """The gradient of each update, with all parameters concatenated."""
    lrs: list[float] = field(default_factory=list)
    """The lr of each update."""
    losses: list[float] = field(default_factory=list)
    """The losses that the loop returned."""
    left_over: int = 0
    """The number of gradients computed after the last update."""


class _Recorder(torch.optim.SGD):
    """Records each step without changing the weights."""

    def __init__(self, model: nn.Module, recording: Recording) -> None:
        self._trained = [each for each in model.parameters() if each.requires_grad]
        self._recording = recording
        super().__init__(self._trained, lr=_LR)

    def step(self, closure: Any = None) -> Any:
        """Record the current gradients and lr."""
        if closure is not None:
            with torch.enable_grad():
                closure()
        parts = [
            torch.zeros_like(each) if each.grad is None else each.grad for each in self._trained
        ]
        flat = torch.cat([part.detach().reshape(-1).cpu() for part in parts])
        self._recording.gradients.append(flat)
        self._recording.lrs.append(float(self.param_groups[0]["lr"]))
        self._recording.left_over = 0


def record(train: TrainStep, model: nn.Module, batches: list[Any], accumulation: int) -> Recording:
    """Run the loop over these batches, on a copy of the model.

    The copy stays in eval mode even if the loop calls `train()`, so that neither dropout nor
    BatchNorm makes a difference.
    """
    copied = copy.deepcopy(model).eval()
    copied.train = lambda mode=True: copied  # type: ignore[method-assign]
    recording = Recording()
    optimizer = _Recorder(copied, recording)

    def count(_: Tensor) -> None:
        recording.left_over += 1

    for parameter in copied.parameters():
        if parameter.requires_grad:
            parameter.register_hook(count)  # type: ignore[no-untyped-call]
    with torch.random.fork_rng():
        torch.manual_seed(_SEED)
        recording.losses = _numbers(train(copied, optimizer, batches, accumulation))
    return recording


def _numbers(returned: Any) -> list[float]:
    """The losses that a loop returned as a list, an array or a number; empty for anything else."""
    if isinstance(returned, Tensor):
        returned = returned.detach().flatten().tolist()
    try:
        return [float(each) for each in returned]
    except (TypeError, ValueError):
        return [float(returned)] if isinstance(returned, int | float) else []
