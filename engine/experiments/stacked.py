"""Many seeds trained at once: the tensors of S seeds lie along a leading dimension of length S.

A batch of one trains twenty models in the time of one, since the cost is the call, not the sums.
Each model sees what a plain loop would show it: the tests hold this to such loops in float64.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, islice
from typing import Final, TypeVar

import torch
from torch import Tensor, nn

from engine.jobs.messages import ReportProgress
from engine.settings import BatchSize
from engine.training.schedule import epoch_order

Step = TypeVar("Step")
_MOST_BETWEEN: Final = 100
"""Steps between two reports: a few hundredths of a second where they are short."""
_REPORTS: Final = 200
"""Reports at least, where there are so many steps: few steps are long ones."""

Data = tuple[Tensor, ...]
"""Tensors of shape (S, n, …): n samples of each seed."""
Losses = Callable[..., Tensor]
"""(parameters, *batch) -> the mean loss of each seed, shape (S,)."""


def place(device: torch.device) -> torch.device:
    """The device, or the CPU where the device has no float64 (Apple's MPS)."""
    return torch.device("cpu") if device.type == "mps" else device


def size_of(batch_size: BatchSize, n: int) -> int:
    """The batch in samples."""
    return min(batch_size, n) if isinstance(batch_size, int) else n


def shuffled(data: Data, seeds: Sequence[int], epoch: int) -> Data:
    """Each seed's samples in its own order of that epoch (from 1), as every variant sees them."""
    n = data[0].shape[1]
    order = torch.stack([torch.from_numpy(epoch_order(seed, epoch, n)) for seed in seeds])
    order = order.to(data[0].device)
    rows = torch.arange(len(seeds), device=order.device)[:, None]
    return tuple(tensor[rows, order] for tensor in data)


def epoch_batches(data: Data, seeds: Sequence[int], epoch: int, size: int) -> Iterator[Data]:
    """The batches of one epoch, the last one short where `size` does not divide n."""
    if size >= data[0].shape[1]:
        yield data  # one batch holds them all, always summed in one order
        return
    yield from zip(
        *(torch.split(tensor, size, dim=1) for tensor in shuffled(data, seeds, epoch)), strict=True
    )


def batches(data: Data, seeds: Sequence[int], size: int, updates: int) -> Iterator[Data]:
    """The first `updates` batches, epoch after epoch."""
    every = (batch for epoch in count(1) for batch in epoch_batches(data, seeds, epoch, size))
    return islice(every, updates)


class CountedSteps:
    """Counts the steps of a whole experiment, of `total`, and tells how far it is now and then."""

    def __init__(self, progress: ReportProgress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        self._every = max(1, min(_MOST_BETWEEN, total // _REPORTS))

    def over(self, steps: Iterable[Step], what: str) -> Iterator[Step]:
        """The steps as they are, counted."""
        for step in steps:
            if self._done % self._every == 0:
                self._progress(self._done / self._total, what)
            yield step
            self._done += 1


def descend(parameters: Sequence[Tensor], losses: Losses, batch: Data, lr: Tensor | float) -> None:
    """One step of plain SGD in place; `lr` a number for all, or one a seed of shape (S,)."""
    # The sum's gradient with respect to a seed's weights is that of the seed's own loss.
    total = losses(parameters, *batch).sum()
    gradients = torch.autograd.grad(total, parameters)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if isinstance(lr, Tensor):
                parameter.sub_(gradient * lr.view(-1, *[1] * (gradient.dim() - 1)))
            else:
                parameter.sub_(gradient, alpha=lr)


def descended(start: Tensor, steps: Iterable[Data], losses: Losses, lr: float) -> Tensor:
    """End points of weights of shape (S, …) after plain SGD on these batches."""
    weights = start.clone().requires_grad_()
    for batch in steps:
        descend([weights], losses, batch, lr)
    return weights.detach()


def weights_of(models: Sequence[nn.Module], device: torch.device) -> list[Tensor]:
    """The parameters of models of one shape, stacked in float64, ready to be trained."""
    rows = zip(*(model.parameters() for model in models), strict=True)
    return [
        torch.stack([p.detach().double() for p in row]).to(device).requires_grad_() for row in rows
    ]


def perceptron(parameters: Sequence[Tensor], inputs: Tensor) -> Tensor:
    """Linear layers with tanh between them: (S, b, features) -> (S, b, outputs).

    `parameters` are weight and bias of each layer in turn, as nn.Sequential has them.
    """
    hidden = inputs
    for layer in range(0, len(parameters), 2):
        weight, bias = parameters[layer], parameters[layer + 1]
        hidden = torch.baddbmm(bias[:, None], hidden, weight.mT)
        if layer + 2 < len(parameters):
            hidden = hidden.tanh()
    return hidden
