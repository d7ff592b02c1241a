"""The end of an update beyond the optimiser's plain step: clipping, the scale of fp16 gradients.

Nothing here waits for the device, but for torch's GradScaler, which must.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from engine.settings import Precision, VariantSettings
from engine.training.data.sources import Samples
from engine.training.model import Objective

Forward = Callable[[Samples], tuple[Tensor, Tensor | None]]

_FORMATS = {Precision.BF16: torch.bfloat16, Precision.FP16: torch.float16}


def under(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """The context in which a model computes with this precision."""
    if precision is Precision.FP32:
        return nullcontext()
    return torch.autocast(device.type, _FORMATS[precision])


def forward_of(objective: Objective, precision: Precision, device: torch.device) -> Forward:
    """The forward pass with this precision: the loss of some samples, and its weight."""
    if precision is Precision.FP32:
        return objective.weighed_loss
    return partial(_forward, objective, precision, device)


def _forward(
    objective: Objective, precision: Precision, device: torch.device, samples: Samples
) -> tuple[Tensor, Tensor | None]:
    with under(precision, device):
        return objective.weighed_loss(samples)


class UpdateStep:
    """Steps the optimiser on clipped or scaled gradients, and counts what it did to them."""

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        parameters: Sequence[nn.Parameter],
        settings: VariantSettings,
        device: torch.device,
    ) -> None:
        self._optimizer = optimizer
        self._parameters = parameters
        self._clip = settings.clip
        self._scaler = None
        self.scale: Tensor | None = None
        """The factor of the loss, and so of its gradients, which is a power of two."""
        if settings.precision is Precision.FP16:
            self._scaler = torch.amp.GradScaler(device.type)
            self._one = torch.ones((), device=device)
            self.scale = self._scaler.scale(self._one).clone()
        self.clipped: list[Tensor] = []
        """For each update since the last count, True if its gradient was scaled down."""
        self._skipped: list[Tensor] = []

    def __call__(self) -> None:
        """Do what stands between an update's whole gradient and the next one."""
        if self._scaler is not None:
            self._scaler.unscale_(self._optimizer)
        if self._clip is not None:
            norm = nn.utils.clip_grad_norm_(self._parameters, self._clip)
            self.clipped.append((norm > self._clip) & norm.isfinite())
        if self._scaler is None:
            self._optimizer.step()
        else:
            self._step_scaled(self._scaler)

    def _step_scaled(self, scaler: torch.amp.GradScaler) -> None:
        assert self.scale is not None
        scaler.step(self._optimizer)  # left out where a gradient is not finite
        scaler.update()
        scale = scaler.scale(self._one)
        self._skipped.append(scale < self.scale)
        self.scale.copy_(scale)

    def scaler_state(self) -> dict[str, Any] | None:
        """The state of the scale of fp16 gradients; None without one."""
        return None if self._scaler is None else self._scaler.state_dict()

    def restore_scaler(self, state: dict[str, Any]) -> None:
        """Let the scale of gradients continue from this state."""
        if self._scaler is not None and self.scale is not None:
            self._scaler.load_state_dict(state)
            self.scale.copy_(self._scaler.scale(self._one))

    def take_counts(self, updates: int, in_blocks: Sequence[Tensor] = ()) -> tuple[int, int]:
        """Updates that were clipped and left out, of the first ones since the last call.

        `in_blocks`: for each update of blocks before them, whether it was clipped.
        """
        clipped = [*in_blocks, *self.clipped][:updates]
        counts = _true(clipped), _true(self._skipped[:updates])
        self.clipped.clear()
        self._skipped.clear()
        return counts


def _true(flags: list[Tensor]) -> int:
    return int(torch.stack(flags).sum()) if flags else 0
